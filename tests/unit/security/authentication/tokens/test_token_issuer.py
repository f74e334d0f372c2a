from __future__ import annotations

from typing import Any

import pytest

from mcp_server.security.authentication.jose.compact_jws import CompactJWS
from mcp_server.security.authentication.tokens.token_issuer import TokenIssuer
from tests.support.tokens import ED_KEY, NOW, VerifierRig


def issuer(rig: VerifierRig) -> TokenIssuer:
    return TokenIssuer(rules=rig.rules, key=ED_KEY, clock=rig.clock, new_id=lambda: "id-1")


def test_what_is_issued_is_accepted_and_says_what_was_asked_for() -> None:
    rig = VerifierRig()
    text, token = issuer(rig).issue(
        subject="ada",
        client_id="desk",
        lifetime_seconds=300,
        scopes=["b", "a", "b"],
        certificate_thumbprint="A" * 43,
        key_thumbprint="B" * 43,
    )
    assert rig.verifier.verify(text) == token
    assert (token.subject, token.client_id, token.token_id) == ("ada", "desk", "id-1")
    assert token.scopes == {"a", "b"}
    assert (token.certificate_thumbprint, token.key_thumbprint) == ("A" * 43, "B" * 43)
    assert token.expires_at == NOW + 300 + 60
    assert CompactJWS.parse(text, max_bytes=8192).header == {"alg": "EdDSA", "kid": "as-ed-1", "typ": "at+jwt"}


@pytest.mark.parametrize(
    "changed",
    [
        {"lifetime_seconds": 3601},
        {"lifetime_seconds": 0},
        {"subject": ""},
        {"client_id": "a\x1b"},
        {"scopes": ["a b"]},
        {"scopes": ['"']},
        {"key_thumbprint": "short"},
    ],
)
def test_what_would_not_be_accepted_is_not_issued(changed: dict[str, Any]) -> None:
    wanted: dict[str, Any] = {"subject": "ada", "client_id": "desk", "lifetime_seconds": 300, **changed}
    if changed == {"scopes": ["a b"]}:
        # Two words are two scopes, whoever wrote them as one.
        assert issuer(VerifierRig()).issue(**wanted)[1].scopes == {"a", "b"}
        return
    with pytest.raises(ValueError, match=r"exp|missing|control|scope|thumbprint"):
        issuer(VerifierRig()).issue(**wanted)


def test_two_tokens_never_share_an_id() -> None:
    rig = VerifierRig()
    made = TokenIssuer(rules=rig.rules, key=ED_KEY, clock=rig.clock)
    ids = {made.issue(subject="a", client_id="b", lifetime_seconds=9)[1].token_id for _ in range(20)}
    assert len(ids) == 20
