from __future__ import annotations

from mcp_server.security.authentication.listener_rules import ListenerRules


def test_a_listener_takes_no_bearers_tokens_unless_it_says_so() -> None:
    assert not ListenerRules().allows_bearer
    assert ListenerRules().require == frozenset()
