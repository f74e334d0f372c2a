from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.verification_key import VerificationKey
from tests.support.tokens import EC_KEY, ED_KEY, SECRET_KEY


@pytest.mark.parametrize("key", [ED_KEY, EC_KEY, SECRET_KEY])
def test_a_signature_is_its_keys_and_nobody_elses(key: object) -> None:
    signature = key.sign(b"text")  # type: ignore[attr-defined] # a SigningKey
    verification = key.verification_key()  # type: ignore[attr-defined] # as above
    verification.verify(b"text", signature)
    for text, spoilt in ((b"texT", signature), (b"text", signature[:-1] + bytes([signature[-1] ^ 1])), (b"text", b"")):
        with pytest.raises(ValueError, match="signature"):
            verification.verify(text, spoilt)


@pytest.mark.parametrize(("alg", "is_pss"), [("RS256", False), ("PS256", True), (None, False)])
def test_an_rsa_key_verifies_with_its_one_algorithm(alg: str | None, is_pss: bool) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    numbers = private.public_key().public_numbers()
    jwk = {"kty": "RSA", "n": encode_base64url(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
    key = VerificationKey.from_jwk(jwk if alg is None else {**jwk, "alg": alg})
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    signatures = {
        True: private.sign(b"text", pss, hashes.SHA256()),
        False: private.sign(b"text", padding.PKCS1v15(), hashes.SHA256()),
    }
    key.verify(b"text", signatures[is_pss])
    with pytest.raises(ValueError, match="not this key's"):
        key.verify(b"text", signatures[not is_pss])


def test_a_key_without_an_id_is_named_by_its_thumbprint() -> None:
    jwk = {name: value for name, value in ED_KEY.public_jwk().items() if name != "kid"}
    key = VerificationKey.from_jwk(jwk)
    assert key.key_id == key.thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_secret_is_taken_only_where_secrets_are_allowed() -> None:
    jwk = SECRET_KEY.private_jwk()
    with pytest.raises(ValueError, match="key pair"):
        VerificationKey.from_jwk(jwk)
    assert VerificationKey.from_jwk(jwk, allows_secret=True).thumbprint == ""
    with pytest.raises(ValueError, match="needs a 'kid'"):
        VerificationKey.from_jwk({"kty": "oct", "k": jwk["k"]}, allows_secret=True)


def test_a_key_shows_no_secret() -> None:
    key = SECRET_KEY.verification_key()
    assert SECRET_KEY.private_jwk()["k"] not in repr(key) + str(key)
    assert json.dumps(list(range(32))) not in repr(key)
    assert "_material" not in repr(key)
