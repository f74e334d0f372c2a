"""What stands under a name that untrusted code may have made."""

from __future__ import annotations

import os
import stat
from enum import StrEnum
from typing import Final, Self

from mcp_server.resources.isolation.refusal import Refusal

_READABLE: Final = stat.S_IRUSR
_OPEN: Final = stat.S_IRUSR | stat.S_IXUSR
_PRIVILEGED: Final = stat.S_ISUID | stat.S_ISGID


class EntryKind(StrEnum):
    """The kinds told apart; of these only `FILE` and `DIRECTORY` are ever taken.

    >>> EntryKind.SYMLINK.refusal
    <Refusal.SYMLINK: 'symbolic link'>
    """

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARD_LINK = "hard_link"
    PRIVILEGED = "privileged"
    FIFO = "fifo"
    SOCKET = "socket"
    DEVICE = "device"
    CLOSED = "closed"
    """A file or directory whose owner may not read it. An administrator could, and is not made to."""

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the kind of the inode that `status` describes.

        >>> EntryKind.of(os.stat("/dev/null"))
        <EntryKind.DEVICE: 'device'>
        """
        mode = status.st_mode
        if stat.S_ISDIR(mode):
            # The setgid bit of a directory says which group its new files get; no content is taken with it.
            return cls("directory" if mode & _OPEN == _OPEN else "closed")
        if not stat.S_ISREG(mode):
            return cls(_SPECIAL.get(stat.S_IFMT(mode), "device"))
        if mode & _PRIVILEGED:
            return cls("privileged")
        if status.st_nlink > 1:
            return cls("hard_link")
        return cls("file" if mode & _READABLE else "closed")

    @property
    def refusal(self) -> Refusal | None:
        """Why it is never taken, None for what may be."""
        return _REFUSALS[self]


_SPECIAL: Final = {stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}
_REFUSALS: Final = {
    EntryKind.FILE: None,
    EntryKind.DIRECTORY: None,
    EntryKind.SYMLINK: Refusal.SYMLINK,
    EntryKind.HARD_LINK: Refusal.HARD_LINK,
    EntryKind.PRIVILEGED: Refusal.PRIVILEGED,
    EntryKind.FIFO: Refusal.SPECIAL,
    EntryKind.SOCKET: Refusal.SPECIAL,
    EntryKind.DEVICE: Refusal.SPECIAL,
    EntryKind.CLOSED: Refusal.CLOSED,
}
