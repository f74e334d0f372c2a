from __future__ import annotations

from typing import Any

import pytest

from mcp_server.security.authentication.tokens.claims_reader import MAX_NAME_BYTES, read_claims, read_name
from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules
from tests.support.tokens import AUDIENCE, ISSUER, NOW, claims

RULES = IssuerRules("as", issuer=ISSUER, audience=AUDIENCE)
PRINT = "A" * 43


def read(rules: IssuerRules = RULES, **changed: Any) -> Any:
    return read_claims(claims(**changed), rules, NOW)


def test_good_claims_are_read() -> None:
    token = read(cnf={"jkt": PRINT})
    assert (token.issuer, token.subject, token.client_id, token.token_id) == (ISSUER, "reporter-7", "desk", "t-1")
    assert token.scopes == {"notes.read", "notes.write"}
    assert (token.issued_at, token.expires_at) == (NOW - 60, NOW + 660)
    assert (token.key_thumbprint, token.certificate_thumbprint) == (PRINT, None)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iat": NOW + 61, "exp": NOW + 300}, "iat is in the future"),
        ({"iat": NOW - 7000, "exp": NOW - 60}, "too long after"),
        ({"iat": NOW - 3600, "exp": NOW - 60}, "expired"),
        ({"iat": NOW, "exp": NOW}, "before iat"),
        ({"iat": NOW, "exp": NOW + 3601}, "too long after"),
        ({"nbf": NOW + 61}, "nbf is in the future"),
        ({"nbf": "soon"}, "no time"),
        ({"exp": 2**41}, "no time"),
        ({"iat": -1}, "no time"),
        ({"iat": NOW + 0.5}, "no time"),
        ({"client_id": None}, "client_id"),
        ({"sub": "a" * (MAX_NAME_BYTES + 1)}, "too long"),
        ({"sub": "é" * (MAX_NAME_BYTES // 2 + 1)}, "too long"),
        ({"sub": "a\u2028b"}, "cannot be seen"),
        ({"jti": "a\x7f"}, "control"),
        ({"scope": "a  b"}, "list of words"),
        ({"scope": 'a"b'}, "list of words"),
        ({"scope": "a\n"}, "list of words"),
        ({"scope": ["a"]}, "list of words"),
        ({"authorization_details": []}, "cannot be applied"),
        ({"cnf": {}}, "not known here"),
        ({"cnf": "x"}, "not known here"),
        ({"cnf": {"jkt": PRINT, "kid": "a"}}, "not known here"),
        ({"cnf": {"jkt": PRINT[1:]}}, "no thumbprint"),
        ({"cnf": {"x5t#S256": None}}, "no thumbprint"),
        ({"aud": [AUDIENCE, "https://other.example"]}, "further servers"),
        ({"aud": [AUDIENCE, 7]}, "no text"),
    ],
)
def test_claims_out_of_bounds_are_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(**changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"iat": NOW + 60, "exp": NOW + 300},
        {"iat": NOW - 3659, "exp": NOW - 59},
        {"nbf": NOW + 60},
        {"sub": "Ada Lovelace é"},
        {"sub": "a" * MAX_NAME_BYTES},
        {"scope": ""},
        {"scope": None},
        {"aud": [AUDIENCE, AUDIENCE + "/"]},
    ],
)
def test_claims_just_within_bounds_are_read(changed: dict[str, Any]) -> None:
    assert read(**changed).issuer == ISSUER


def test_other_audiences_take_a_switch() -> None:
    rules = IssuerRules("as", issuer=ISSUER, audience=AUDIENCE, allows_other_audiences=True)
    assert read(rules, aud=[AUDIENCE, "https://other.example"]).subject == "reporter-7"
    with pytest.raises(ValueError, match="another server"):
        read(rules, aud=["https://other.example"])


def test_another_issuer_is_refused_even_here() -> None:
    with pytest.raises(ValueError, match="another issuer"):
        read(iss=ISSUER + "/")


def test_the_text_of_an_error_does_not_repeat_the_claim() -> None:
    with pytest.raises(ValueError, match="sub") as caught:
        read_name({"sub": "swordfish\x1b[2J"}, "sub")
    assert "swordfish" not in str(caught.value)
