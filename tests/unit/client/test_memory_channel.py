from __future__ import annotations

from mcp_server.client.memory_channel import MemoryChannel
from mcp_server.security.authentication.credentials import Credentials


def test_messages_are_handed_on_in_order_and_as_they_are() -> None:
    seen: list[bytes] = []
    credentials = Credentials(transport="memory", profile="local")
    channel = MemoryChannel(credentials, seen.append)
    channel.send(b"one")
    channel.send(b"")
    assert seen == [b"one", b""]
    assert channel.credentials is credentials
