"""The resource tier's settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_server.resources.blocking_pool import MAX_CALLS_PER_OWNER, MAX_THREADS

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.file_limits import FileLimits


@dataclass(frozen=True, slots=True)
class ResourceConfig:
    """Settings of the resource tier.

    Args:
        state_directory: The server's own state, which no client's folder may contain or lie in.
        file_limits: Bounds of single file operations, None for the defaults.
        max_threads: Threads for what blocks.
        max_calls_per_client: Blocking calls of one client at once.

    >>> ResourceConfig().max_threads
    32
    """

    state_directory: Path | None = None
    file_limits: FileLimits | None = None
    max_threads: int = MAX_THREADS
    max_calls_per_client: int = MAX_CALLS_PER_OWNER
