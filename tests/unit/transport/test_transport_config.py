from __future__ import annotations

from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.transport.transport_config import TransportConfig


def test_a_line_and_a_message_have_the_same_bound() -> None:
    config = TransportConfig()
    assert config.max_message_bytes == MessageLimits().max_message_bytes == 4 * 1024 * 1024
    # Two of the largest answers may wait for a slow client.
    assert config.max_unsent_bytes >= 2 * config.max_message_bytes
    assert config.grace_seconds == 5.0
