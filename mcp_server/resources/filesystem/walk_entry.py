"""One thing met on a walk through a tree."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_location import FileLocation


@dataclass(frozen=True, slots=True)
class WalkEntry:
    """A location below the start of a walk, with its kind.

    Args:
        location: Where it is.
        kind: What it is.
        depth: How far below the start; 1 for its children.
        is_cut: Whether its content was not visited because a bound was reached; of directories only.

    >>> WalkEntry.__dataclass_fields__["is_cut"].default
    False
    """

    location: FileLocation
    kind: FileKind
    depth: int
    is_cut: bool = False
