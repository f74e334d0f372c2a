from __future__ import annotations

from mcp_server.resources.network.egress_limits import EgressLimits


def test_a_request_must_begin_before_its_tunnel_would_be_idle() -> None:
    limits = EgressLimits()
    assert limits.header_seconds <= limits.idle_seconds
