"""What the operator says of one folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_server.resources.filesystem.sync_level import SyncLevel

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RootConfig:
    """One folder given to a client, with its rules.

    Args:
        path: The folder, absolute, or relative to the working directory of the server.
        name: What to call it; its last component unless given.
        writable: Whether anything below it may be changed.
        is_global: Whether it is one of the further folders that need `FILE_WRITE_GLOBAL`.
        max_bytes: Quota: most bytes of files below it, None for none.
        max_files: Quota: most files and directories below it, None for none.
        allow_hardlinks: Whether files with several names are read. The other name may lie outside every folder.
        cross_mounts: Whether what is mounted below it belongs to it.
        allow_fuse: Whether a FUSE file system may be a root; its server sees and answers every access.
        sync: What a write waits for.

    >>> RootConfig("/srv/notes").writable
    True
    """

    path: str | Path
    name: str | None = None
    writable: bool = True
    is_global: bool = False
    max_bytes: int | None = None
    max_files: int | None = None
    allow_hardlinks: bool = False
    cross_mounts: bool = False
    allow_fuse: bool = False
    sync: SyncLevel = SyncLevel.NONE
