from __future__ import annotations

import pytest

from mcp_server.security.authentication.jose.detached_jws import DetachedJWS
from mcp_server.security.authentication.jose.verification_key import VerificationKey
from tests.support.tokens import ED_KEY, SECRET_KEY, vector


def test_the_published_example_holds() -> None:
    # Source: RFC 7797, section 4.2.
    case = vector("jose-rfcs", "small-values.json")["rfc7797"]
    key = VerificationKey.from_jwk({"kty": "oct", "kid": "x", "k": case["key_b64url"]}, allows_secret=True)
    jws = DetachedJWS.parse(case["detached_jws"], max_bytes=200)
    jws.verify(key, case["payload_utf8"].encode())
    with pytest.raises(ValueError, match="not this key's"):
        jws.verify(key, case["payload_utf8"].encode() + b"3")


def test_what_is_signed_is_verified_by_its_key_only() -> None:
    text = ED_KEY.detached({"b64": False, "crit": ["b64"]}, b"payload")
    jws = DetachedJWS.parse(text, max_bytes=1000)
    jws.verify(ED_KEY.verification_key(), b"payload")
    with pytest.raises(ValueError, match="another algorithm"):
        jws.verify(SECRET_KEY.verification_key(), b"payload")


@pytest.mark.parametrize("header", [{}, {"b64": True, "crit": ["b64"]}, {"b64": False}, {"b64": 0, "crit": ["b64"]},
                                    {"b64": False, "crit": ["b64", "x"]}, {"b64": False, "crit": "b64"}])  # fmt: skip
def test_a_header_that_does_not_say_so_is_refused(header: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="unencoded"):
        DetachedJWS.parse(ED_KEY.detached(header, b"payload"), max_bytes=1000)


@pytest.mark.parametrize("text", ["", "..", "e30..", "..AA", "e30.e30.AA", "e30.AA", "e30..A=", "é..AA", "e30..AA.AA"])
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"a header, nothing|canonical|unencoded"):
        DetachedJWS.parse(text, max_bytes=100)
    with pytest.raises(ValueError, match="longer"):
        DetachedJWS.parse("e30..AAAA", max_bytes=8)
