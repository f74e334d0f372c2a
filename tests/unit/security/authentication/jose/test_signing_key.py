from __future__ import annotations

import json

import pytest

from mcp_server.security.authentication.jose.base64url import encode_base64url
from mcp_server.security.authentication.jose.signing_key import SigningKey
from tests.support.tokens import EC_KEY, ED_KEY, SECRET_KEY, vector


def test_the_published_signature_is_made() -> None:
    # Source: RFC 8037, appendix A.4.
    case = vector("jose-rfcs", "curve25519-jws.json")
    key = SigningKey.from_jwk(case["input"]["key"])
    signing_input, _, signature = case["output"]["compact"].rpartition(".")
    assert encode_base64url(key.sign(signing_input.encode())) == signature


def test_two_generated_keys_differ_and_come_back_from_their_form() -> None:
    one, two = SigningKey.generate(), SigningKey.generate()
    assert one.key_id != two.key_id
    again = SigningKey.from_jwk(json.loads(json.dumps(one.private_jwk())))
    again.verification_key().verify(b"x", one.sign(b"x"))
    assert again == one


@pytest.mark.parametrize("key", [ED_KEY, EC_KEY, SECRET_KEY])
def test_a_signing_key_shows_nothing(key: SigningKey) -> None:
    private = key.private_jwk().get("d") or key.private_jwk()["k"]
    assert private not in repr(key) + str(key)


def test_the_public_half_holds_nothing_private() -> None:
    assert set(EC_KEY.public_jwk()) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    with pytest.raises(ValueError, match="no public half"):
        SECRET_KEY.public_jwk()


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"d": None}, "no private half"),
        ({"d": "AAAA"}, "32 bytes"),
        ({"d": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, "do not fit"),
        ({"kty": "RSA"}, "not signed with"),
    ],
)
def test_what_cannot_sign_is_no_signing_key(changed: dict[str, object], why: str) -> None:
    jwk = {**ED_KEY.private_jwk(), **changed}
    if "kty" in changed:
        jwk.pop("alg")
    with pytest.raises(ValueError, match=why):
        SigningKey.from_jwk(jwk)


def test_a_secret_needs_a_name() -> None:
    with pytest.raises(ValueError, match="kid"):
        SigningKey.from_jwk({"kty": "oct", "k": SECRET_KEY.private_jwk()["k"]})
