"""What a client's handlers remember between calls, from another process."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from pydantic_core import to_json

from mcp_server.security.apart.door_channel import DoorChannel


class RemoteState(MutableMapping[str, Any]):
    """The client's state, which stays in the server; what is put into it becomes plain JSON values.

    Args:
        channel: The way to the server.
    """

    __slots__ = ("_channel",)

    def __init__(self, channel: DoorChannel) -> None:
        self._channel = channel

    def __getitem__(self, key: str) -> Any:
        return self._channel.ask("state.__getitem__", to_json({"key": key}))

    def __setitem__(self, key: str, value: Any) -> None:
        self._channel.ask("state.__setitem__", to_json({"key": key, "value": value}))

    def __delitem__(self, key: str) -> None:
        self._channel.ask("state.__delitem__", to_json({"key": key}))

    def __iter__(self) -> Iterator[str]:
        return iter(self._channel.ask("state.__iter__", b"{}"))

    def __len__(self) -> int:
        return len(list(iter(self)))
