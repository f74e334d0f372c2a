from __future__ import annotations

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.rule_trace import RuleTrace


def test_a_silent_layer_names_no_rule() -> None:
    trace = RuleTrace("client", "", Effect.DENY)
    assert (trace.matched, trace.pattern, trace.reason) == (False, "", "")
