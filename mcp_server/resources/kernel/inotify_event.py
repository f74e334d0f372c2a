"""One thing that happened to a watched directory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InotifyEvent:
    """What the kernel reported.

    Args:
        watch: The number of the watch, -1 for the queue itself.
        mask: The `IN_*` bits.
        name: The name in the directory, empty for the directory itself.

    >>> InotifyEvent(1, 2, "a.txt").name
    'a.txt'
    """

    watch: int
    mask: int
    name: str
