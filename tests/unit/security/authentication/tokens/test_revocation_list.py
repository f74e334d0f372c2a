from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mcp_server.security.authentication.tokens.revocation_list import FOR_GOOD, RevocationList
from mcp_server.security.authentication.tokens.verified_token import VerifiedToken

TOKEN = VerifiedToken("https://as", "ada", "desk", "t1", issued_at=100, expires_at=200)


@pytest.mark.parametrize(
    "revoked",
    [
        {"tokens": {("https://as", "t1"): 200}},
        {"subjects": {("https://as", "ada"): 100}},
        {"subjects": {("https://as", "ada"): FOR_GOOD}},
        {"clients": {("https://as", "desk"): 100}},
        {"issuers": {"https://as": 100}},
    ],
)
def test_a_token_is_revoked_by_each_of_its_names(revoked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="revoked"):
        RevocationList(**revoked).check(TOKEN)


@pytest.mark.parametrize(
    "revoked",
    [
        {},
        {"tokens": {("https://other", "t1"): 200}},
        {"subjects": {("https://as", "ada"): 99, ("https://other", "ada"): FOR_GOOD, ("https://as", "desk"): FOR_GOOD}},
        {"clients": {("https://as", "ada"): FOR_GOOD}},
        {"issuers": {"https://as": 99, "https://as/": FOR_GOOD}},
    ],
)
def test_names_of_others_and_later_tokens_are_not_touched(revoked: dict[str, Any]) -> None:
    RevocationList(**revoked).check(TOKEN)
    with pytest.raises(ValueError, match="revoked"):
        RevocationList(tokens={(TOKEN.issuer, "other"): 1}).check(replace(TOKEN, token_id="other"))


def test_a_certificate_is_revoked_by_its_key() -> None:
    revoked = RevocationList(certificates=frozenset({"a" * 64}))
    revoked.check_certificate("b" * 64)
    with pytest.raises(ValueError, match="revoked"):
        revoked.check_certificate("a" * 64)
