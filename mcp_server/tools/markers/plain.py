"""The mark of a parameter that only looks like a resource."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plain:
    """The author says: this text is named like a path, an address or a command, and is used as none of them.

    Args:
        reason: Why, for whoever reviews the module.

    >>> Plain("a heading of the note").reason
    'a heading of the note'
    """

    reason: str = ""
