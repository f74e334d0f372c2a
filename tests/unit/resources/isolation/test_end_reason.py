from __future__ import annotations

from mcp_server.resources.isolation.end_reason import EndReason


def test_a_client_reads_the_names_in_lower_case() -> None:
    assert [str(each) for each in EndReason] == [each.name.lower() for each in EndReason]
    assert {"exit", "signal", "timeout", "cpu", "memory", "output", "policy", "cancelled"} <= {*EndReason}
