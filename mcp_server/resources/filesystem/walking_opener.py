"""The opener of kernels without `openat2`."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from typing import Final

from mcp_server.resources.kernel.mount_table import MountTable

# No parser lets these through; a barrier does not count on that.
_UPWARDS: Final = frozenset({"", ".", ".."})
_HANDLE: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class WalkingOpener:
    """Opens one name after the other, holding each directory by a descriptor.

    Slower than `openat2` and as strict: each step follows no link, and what was looked at is what the next step starts
    from, so nobody can swap a directory for a link in between.

    Args:
        mounts: Tells mounts apart.

    >>> root = os.open("/", os.O_PATH)
    >>> WalkingOpener().open(root, ("proc",), os.O_PATH)
    Traceback (most recent call last):
    ...
    OSError: [Errno 18] Invalid cross-device link
    >>> os.close(root)
    """

    __slots__ = ("_mounts",)

    def __init__(self, *, mounts: MountTable | None = None) -> None:
        self._mounts = mounts if mounts is not None else MountTable()

    def open(self, directory: int, parts: Sequence[str], flags: int, *, cross_mounts: bool = False) -> int:
        """Open the path `parts` below `directory`; see `PathOpener.open`."""
        if len("/".join(parts).encode("utf-8", "surrogateescape")) >= os.pathconf("/", "PC_PATH_MAX"):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        mount = None if cross_mounts else self._mounts.mount_id(directory)
        wants_link = flags & os.O_PATH and flags & os.O_NOFOLLOW
        current = os.open(".", os.O_PATH | os.O_CLOEXEC, dir_fd=directory)
        try:
            for index, name in enumerate(parts):
                if name in _UPWARDS or "/" in name:
                    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
                following = os.open(name, _HANDLE, dir_fd=current)
                os.close(current)
                current = following
                is_last = index == len(parts) - 1
                if stat.S_ISLNK(os.fstat(current).st_mode) and not (is_last and wants_link):
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                if mount is not None and self._mounts.mount_id(current) != mount:
                    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            if flags & os.O_DIRECTORY and not stat.S_ISDIR(os.fstat(current).st_mode):
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if flags & os.O_PATH:
                opened, current = current, -1
                return opened
            # The link in /proc is magic: it leads to the very inode that was walked to, whatever its name is now.
            return os.open(f"/proc/self/fd/{current}", (flags | os.O_CLOEXEC) & ~os.O_NOFOLLOW)
        finally:
            if current >= 0:
                os.close(current)
