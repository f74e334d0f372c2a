"""What a client's handlers remember between calls."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError

MAX_KEYS: Final = 1_000
"""Keys one client may hold: memory of the server, filled at the will of a model."""


class ClientState(MutableMapping[str, Any]):
    """A small mapping of one client, kept in memory until the server ends; no other client sees it.

    Raises:
        LimitExceededError: A further key would exceed `MAX_KEYS`.

    >>> state = ClientState(); state["page"] = 2; dict(state)
    {'page': 2}
    """

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self._values and len(self._values) >= MAX_KEYS:
            raise LimitExceededError("client_state", f"a client's state holds at most {MAX_KEYS} keys; delete some")
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
