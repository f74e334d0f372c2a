from __future__ import annotations

from mcp_server.security.call_gate import CallGate
from mcp_server.security.network_gate import NetworkGate


def test_the_gate_of_a_call_is_one() -> None:
    gate: type[NetworkGate] = CallGate
    assert all(callable(getattr(gate, name)) for name in ("require", "allows", "stance"))
