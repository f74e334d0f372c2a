from __future__ import annotations

from mcp_server.security.authentication.tokens.issuer_rules import IssuerRules


def test_each_relaxation_has_a_name() -> None:
    loose = IssuerRules(
        "as",
        issuer="https://as.example",
        audience="https://mcp.example/mcp/",
        max_lifetime_seconds=7200,
        allows_untyped=True,
        allows_other_audiences=True,
    )
    assert loose.relaxations == ("accept_untyped_tokens", "accept_other_audiences", "max_lifetime_seconds")
    assert loose.audience == "https://mcp.example/mcp"
