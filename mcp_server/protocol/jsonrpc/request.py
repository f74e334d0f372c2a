"""A message that wants an answer."""

from __future__ import annotations

from typing import Any, NamedTuple


class Request(NamedTuple):
    """A JSON-RPC request.

    A named tuple, unlike the other values of this library: it is made once a call, and this is the cheapest immutable
    object there is (a third of a frozen dataclass).

    Args:
        id: What the answer must carry: text or an integer, never null.
        method: The method's name.
        params: Its parameters; empty when they were left out.

    >>> Request(1, "tools/call", {"name": "echo"}).method
    'tools/call'
    """

    id: str | int
    method: str
    params: dict[str, Any]
