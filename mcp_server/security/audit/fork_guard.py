"""Notices that this process is a copy of the one that opened the log."""

from __future__ import annotations

import mmap
import os
import sys
from typing import Final

_MADV_WIPEONFORK: Final = 18  # linux/mman.h, since Linux 4.14; Python 3.11 has no name for it


class ForkGuard:
    """A mark that a forked child does not inherit.

    A fork keeps the log's lock and descriptor, and two writers would break the chain. Asking for the process id at
    every record costs a system call; instead the mark is a byte in a page that the kernel hands to children as zeros.
    It also notices a fork made by a C library, which Python's own fork hooks do not.

    >>> guard = ForkGuard()
    >>> guard.is_original
    True
    >>> guard.close()
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        # Its first item is 1 in the process that made the guard and 0 in its forks; a page where the kernel can do it,
        # else this object.
        self.page: mmap.mmap | ForkGuard = self
        if sys.platform == "linux":
            page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            try:
                page.madvise(_MADV_WIPEONFORK)
            except OSError:
                page.close()
            else:
                page[0] = 1
                self.page = page

    def __getitem__(self, index: int) -> int:
        """Return 1 in the process that made the guard, 0 in another."""
        return int(os.getpid() == self._pid)

    @property
    def is_original(self) -> bool:
        """Whether this is still the process that made the guard."""
        return self.page[0] == 1

    def close(self) -> None:
        """Give the page back; afterwards the process id is asked for."""
        if isinstance(self.page, mmap.mmap):
            page, self.page = self.page, self
            page.close()
