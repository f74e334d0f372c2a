"""What was copied into a staging directory, and what was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from mcp_server.resources.isolation.refusal import Refusal

_BOUNDS: Final = frozenset({Refusal.TOO_DEEP, Refusal.TOO_LARGE, Refusal.TOO_MANY})


@dataclass(frozen=True, slots=True)
class CopyReport:
    """Counts; names are left out, for not all of them are the client's to see.

    Args:
        files: How many files were copied.
        directories: How many directories were made.
        size_bytes: How many bytes were copied.
        skipped: How many names were left out, by reason.
        is_truncated: Whether there is more than was looked at.

    >>> CopyReport(files=1, size_bytes=5, skipped={Refusal.SYMLINK: 2}).to_wire()
    {'files': 1, 'directories': 0, 'size_bytes': 5, 'skipped': {'symbolic link': 2}, 'truncated': False}
    """

    files: int = 0
    directories: int = 0
    size_bytes: int = 0
    skipped: Mapping[Refusal, int] = field(default_factory=lambda: MappingProxyType({}))
    is_truncated: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether no limit left anything out; what is never copied, such as a link, is no part of the whole."""
        return not self.is_truncated and self.skipped.keys().isdisjoint(_BOUNDS)

    def to_wire(self) -> dict[str, Any]:
        """Return the counts, fit for JSON."""
        return {
            "files": self.files,
            "directories": self.directories,
            "size_bytes": self.size_bytes,
            "skipped": {str(reason): count for reason, count in sorted(self.skipped.items())},
            "truncated": self.is_truncated,
        }
