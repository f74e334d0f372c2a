"""A message that wants no answer."""

from __future__ import annotations

from typing import Any, NamedTuple


class Notification(NamedTuple):
    """A JSON-RPC notification; it is never answered, not even with an error.

    Args:
        method: The method's name.
        params: Its parameters; empty when they were left out.

    >>> Notification("notifications/initialized", {}).params
    {}
    """

    method: str
    params: dict[str, Any]
