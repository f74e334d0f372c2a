from __future__ import annotations

from mcp_server.security.permissions.decision import Decision
from mcp_server.security.permissions.effect import Effect


def test_only_allow_is_allowed() -> None:
    assert [Decision(effect).is_allowed for effect in (Effect.ALLOW, Effect.ASK, Effect.DENY)] == [True, False, False]


def test_without_a_rule_there_is_no_layer() -> None:
    assert (Decision(Effect.DENY).rule, Decision(Effect.DENY).layer) == ("", "none")
