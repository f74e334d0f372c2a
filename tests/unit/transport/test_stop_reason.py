from __future__ import annotations

from mcp_server.transport.stop_reason import StopReason


def test_every_reason_reads_as_the_audit_will_say_it() -> None:
    assert [each.value for each in StopReason] == ["end of input", "signal", "parent died", "requested"]
