"""Removing a tree that somebody hostile has left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import islice
from typing import Final

from mcp_server.resources.filesystem.file_limits import SECONDS
from mcp_server.resources.filesystem.path_opener import PathOpener

_DIRECTORY: Final = os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY
_OWNERS_ONLY: Final = 0o700
# How many names are held in memory at a time.
_BATCH: Final = 1024
_MAX_IDLE: Final = 2
# 400,000 files take about five seconds. Whoever makes new ones meanwhile does not keep us for ever.
_MAX_SECONDS: Final = 120 * SECONDS


class TreeRemover:
    """Removes a directory with everything in it, whatever the code that filled it has made of it.

    A link is removed, never followed; nothing is opened but directories, and these get back the permissions that
    their owner may have taken away. However deep the tree is, two descriptors are enough and nothing recurses: what
    lies in a directory two levels down is first moved up by one under a random name.

    Args:
        opener: Opens directories; one on another mount is left, and with it the tree.
        clock: Seconds.
        max_seconds: How long one removal may take, in seconds.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(os.path.join(folder, "a", "b", "c"))
    ...     directory = os.open(folder, os.O_RDONLY)
    ...     print(TreeRemover(opener=WalkingOpener()).remove(directory, "a"), os.listdir(folder))
    ...     os.close(directory)
    True []
    """

    __slots__ = ("_clock", "_max_seconds", "_opener")

    def __init__(
        self, *, opener: PathOpener, clock: Callable[[], float] = time.monotonic, max_seconds: float = _MAX_SECONDS
    ) -> None:
        self._opener = opener
        self._clock = clock
        self._max_seconds = max_seconds

    def remove(self, directory: int, name: str) -> bool:
        """Remove `name` from an open directory and return whether it is gone.

        Args:
            directory: Descriptor of the directory that holds it.
            name: One name.
        """
        deadline = self._clock() + self._max_seconds
        try:
            tree = self._opened(directory, name)
        except FileNotFoundError:
            return True
        except OSError:
            return _unlinked(directory, name)
        try:
            self._empty(tree, deadline, lambda below: self._flatten(tree, below, deadline))
        finally:
            os.close(tree)
        return _removed(directory, name)

    def _flatten(self, tree: int, name: str, deadline: float) -> bool:
        """Remove one directory of the tree; its own directories become directories of the tree."""
        try:
            inner = self._opened(tree, name)
        except OSError:
            return False
        try:
            self._empty(inner, deadline, lambda below: _removed(inner, below) or self._move_up(inner, below, tree))
        finally:
            os.close(inner)
        return _removed(tree, name)

    def _move_up(self, inner: int, name: str, tree: int) -> bool:
        try:
            # To move a directory its own permissions are needed, for its `..` changes.
            os.close(self._opened(inner, name))
            # Nobody can have guessed the new name, so nothing is replaced.
            os.rename(name, os.urandom(16).hex(), src_dir_fd=inner, dst_dir_fd=tree)
        except OSError:
            return False
        return True

    def _empty(self, descriptor: int, deadline: float, remove_directory: Callable[[str], bool]) -> None:
        """Remove what is in a directory until nothing is left, nothing can be removed, or the time is up."""
        idle = 0
        # What became something else between looking and removing is seen as what it is the second time.
        while idle < _MAX_IDLE and self._clock() < deadline:
            idle += 1
            with os.scandir(descriptor) as entries:
                batch = [(entry.name, _is_directory(entry)) for entry in islice(entries, _BATCH)]
            for name, is_directory in batch:
                if remove_directory(name) if is_directory else _unlinked(descriptor, name):
                    idle = 0

    def _opened(self, directory: int, name: str) -> int:
        handle = self._opener.open(directory, (name,), _DIRECTORY)
        try:
            # By the descriptor's magic link: it leads to the inode that was opened, whatever its name means now.
            os.chmod(f"/proc/self/fd/{handle}", _OWNERS_ONLY)
            return os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        finally:
            os.close(handle)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _unlinked(directory: int, name: str) -> bool:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _removed(directory: int, name: str) -> bool:
    try:
        os.rmdir(name, dir_fd=directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
