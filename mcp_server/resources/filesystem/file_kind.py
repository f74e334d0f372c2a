"""What a name in a directory stands for."""

from __future__ import annotations

import stat
from enum import StrEnum
from typing import Self


class FileKind(StrEnum):
    """The kinds that matter here; everything that is not a file, a directory or a link is special.

    >>> FileKind.of(stat.S_IFIFO)
    <FileKind.SPECIAL: 'special'>
    """

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    SPECIAL = "special"

    @classmethod
    def of(cls, mode: int) -> Self:
        """Return the kind of an inode whose `st_mode` is `mode`."""
        return cls(_KINDS.get(stat.S_IFMT(mode), "special"))


_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
