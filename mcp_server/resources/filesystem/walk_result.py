"""What a whole walk found."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.filesystem.walk_entry import WalkEntry


@dataclass(frozen=True, slots=True)
class WalkResult:
    """Entries in the order of the walk, parents first.

    Args:
        entries: What was found.
        truncated: Whether there is more than the bounds allowed to look at.

    >>> WalkResult(()).truncated
    False
    """

    entries: tuple[WalkEntry, ...]
    truncated: bool = False
