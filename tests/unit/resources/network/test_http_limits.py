from __future__ import annotations

from mcp_server.resources.network.http_limits import HttpLimits


def test_a_request_cannot_ask_for_less_than_it_gets_by_default() -> None:
    limits = HttpLimits()
    assert limits.total_seconds <= limits.max_total_seconds
