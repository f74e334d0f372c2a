"""The bounds of one staged run."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.resources.filesystem.file_limits import MEBIBYTES


@dataclass(frozen=True, slots=True)
class StagingLimits:
    """How much is copied into a staging directory, and how much of what it holds afterwards is looked at.

    Args:
        max_bytes: Most bytes copied in, and once more most bytes of new and changed files that are looked at.
        max_files: Most files and directories copied in, and most that a run may add before nothing of it is taken.
        max_depth: How deep below the folder; each level holds one descriptor.
        max_listed_effects: Most effects that a ledger lists one by one; it counts all of them.

    >>> StagingLimits().max_bytes // MEBIBYTES
    256
    """

    max_bytes: int = 256 * MEBIBYTES
    max_files: int = 10_000
    max_depth: int = 64
    max_listed_effects: int = 1_000
