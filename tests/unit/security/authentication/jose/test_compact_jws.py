from __future__ import annotations

import pytest

from mcp_server.security.authentication.jose.compact_jws import CompactJWS
from mcp_server.security.authentication.jose.verification_key import VerificationKey
from tests.support.tokens import ED_KEY, SECRET_KEY, token, vector


@pytest.mark.parametrize(
    "name", ["jws-4_1.rsa_v15_signature", "jws-4_4.hmac-sha2_integrity_protection", "curve25519-jws"]
)
def test_published_signatures_hold(name: str) -> None:
    case = vector("jose-rfcs", f"{name}.json")
    jwk = {each: value for each, value in case["input"]["key"].items() if each not in ("d", "p", "q", "dp", "dq", "qi")}
    # The examples name their keys by addresses of mail, which is no form that we take.
    jwk = {**jwk, "kid": "example"}
    jws = CompactJWS.parse(case["output"]["compact"], max_bytes=4096)
    jws.verify(VerificationKey.from_jwk(jwk, allows_secret=True))
    assert jws.payload.decode() == case["input"]["payload"]


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b", "a.b.c.d", "e30..AAAA", "e30.e30.", ".e30.AAAA", "e30.e30.A=A="]
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"three segments|canonical"):
        CompactJWS.parse(text, max_bytes=100)


def test_size_is_looked_at_before_anything_else() -> None:
    with pytest.raises(ValueError, match="longer than 10"):
        CompactJWS.parse("\u00e9" * 11, max_bytes=10)
    with pytest.raises(ValueError, match="ASCII"):
        CompactJWS.parse("\u00e9" * 10, max_bytes=10)


def test_the_header_has_no_other_members() -> None:
    jws = CompactJWS.parse(token(), max_bytes=4096)
    jws.check_header(("alg", "kid", "typ"))
    with pytest.raises(ValueError, match="not allowed"):
        jws.check_header(("alg", "kid"))


def test_the_key_decides_the_algorithm() -> None:
    jws = CompactJWS.parse(token(), max_bytes=4096)
    jws.verify(ED_KEY.verification_key())
    with pytest.raises(ValueError, match="another algorithm"):
        jws.verify(SECRET_KEY.verification_key())
