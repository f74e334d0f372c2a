"""Where in its life a server is."""

from __future__ import annotations

from enum import StrEnum


class LifecycleState(StrEnum):
    """The states of a server, in their order; there is no way back.

    >>> LifecycleState.NEW.value
    'new'
    """

    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"
