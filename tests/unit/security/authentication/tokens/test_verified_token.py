from __future__ import annotations

from dataclasses import replace

from mcp_server.security.authentication.tokens.verified_token import VerifiedToken


def test_a_token_is_bound_by_either_proof() -> None:
    token = VerifiedToken("i", "s", "c", "t", issued_at=0, expires_at=1)
    assert not token.is_bound
    assert replace(token, key_thumbprint="k").is_bound
    assert replace(token, certificate_thumbprint="c").is_bound
