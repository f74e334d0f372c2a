"""How far a write has gone when it is reported as done."""

from __future__ import annotations

from enum import StrEnum


class SyncLevel(StrEnum):
    """What a write waits for: nothing (0.2 ms), the file's data, or the file and its name (8 ms on a disk).

    Whatever the level, a reader sees the old or the new content and never a mixture; the level is about power cuts.

    >>> SyncLevel("file_and_directory")
    <SyncLevel.FILE_AND_DIRECTORY: 'file_and_directory'>
    """

    NONE = "none"
    FILE = "file"
    FILE_AND_DIRECTORY = "file_and_directory"
