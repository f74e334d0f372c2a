from __future__ import annotations

import inspect

from mcp_server.security.access_gate import AccessGate
from mcp_server.security.call_gate import CallGate


def test_the_gate_of_a_call_is_what_a_door_asks() -> None:
    for name in ("require", "allows", "could_allow", "require_all"):
        wanted = list(inspect.signature(getattr(AccessGate, name)).parameters.values())
        offered = list(inspect.signature(getattr(CallGate, name)).parameters.values())
        assert [each.name for each in offered[: len(wanted)]] == [each.name for each in wanted]
        assert all(each.default is not inspect.Parameter.empty for each in offered[len(wanted) :])
    assert inspect.iscoroutinefunction(CallGate.require)
    assert inspect.iscoroutinefunction(CallGate.require_all)
    assert not inspect.iscoroutinefunction(CallGate.allows)
    assert not inspect.iscoroutinefunction(CallGate.could_allow)
