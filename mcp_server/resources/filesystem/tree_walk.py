"""A bounded walk through a tree."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from itertools import islice
from typing import Self

from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.path_parser import TEMPORARY_NAME
from mcp_server.resources.filesystem.walk_entry import WalkEntry


class TreeWalk:
    """Visits what lies below a directory, parents first, in the order of names; follows no link.

    Each directory is opened from its parent's descriptor, so nothing is looked up twice. An iterator that also knows,
    afterwards, whether it saw everything.

    Args:
        opener: How names are opened.
        start: The directory.
        descriptor: A readable descriptor of it; belongs to the walk from now on.
        limits: Entries, depth and seconds.
        admit: Asked for every entry; what it refuses is neither shown nor entered.
        is_complete: Whether our own half-written files are shown as well; for the sweep.
        clock: Seconds.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.root import Root
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.makedirs(os.path.join(folder, "a", "b"))
    ...     start = FileLocation(Root(RootConfig(folder)), ())
    ...     walk = TreeWalk(opener=WalkingOpener(), start=start, descriptor=os.open(folder, os.O_RDONLY))
    ...     print([entry.location.relative for entry in walk], walk.is_truncated)
    ['a', 'a/b'] False
    """

    def __init__(
        self,
        *,
        opener: PathOpener,
        start: FileLocation,
        descriptor: int,
        limits: FileLimits | None = None,
        admit: Callable[[FileLocation, FileKind], bool] | None = None,
        is_complete: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._opener = opener
        self._start = start
        self._limits = limits if limits is not None else FileLimits()
        self._admit = admit
        self._is_complete = is_complete
        self._clock = clock
        self._deadline = clock() + self._limits.max_walk_seconds
        self._descriptors = [descriptor]
        self._entries = self._visit()
        self.is_truncated = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> WalkEntry:
        return next(self._entries)

    def size_of(self, entry: WalkEntry) -> int:
        """Return the size in bytes of the entry just yielded; 0 for everything but a file, and for what is gone."""
        if entry.kind is not FileKind.FILE:
            return 0
        try:
            return os.stat(entry.location.name, dir_fd=self._descriptors[-1], follow_symlinks=False).st_size
        except OSError:
            return 0

    def close(self) -> None:
        """Stop here and close every descriptor; may be called twice."""
        self._entries.close()
        while self._descriptors:
            os.close(self._descriptors.pop())

    def __del__(self) -> None:
        self.close()

    def _visit(self) -> Generator[WalkEntry, None, None]:
        count = 0
        pending = [(self._start, iter(self._names(self._descriptors[-1])))]
        while pending:
            directory, names = pending[-1]
            for name, kind in names:
                location = directory.child(name)
                if self._admit is not None and not self._admit(location, kind):
                    continue
                if count >= self._limits.max_walk_entries or self._clock() > self._deadline:
                    self.is_truncated = True
                    return
                count += 1
                if kind is not FileKind.DIRECTORY:
                    yield WalkEntry(location, kind, len(pending))
                    continue
                entered = self._enter(location, len(pending))
                yield WalkEntry(location, kind, len(pending), is_cut=entered is None)
                if entered is not None:
                    pending.append((location, iter(entered)))
                    break
            else:
                pending.pop()
                os.close(self._descriptors.pop())

    def _enter(self, location: FileLocation, depth: int) -> list[tuple[str, FileKind]] | None:
        """Open a directory below the one visited and return its names; None when it stays closed."""
        if depth >= self._limits.max_depth:
            self.is_truncated = True
            return None
        try:
            descriptor = self._opener.open(
                self._descriptors[-1],
                (location.name,),
                os.O_RDONLY | os.O_DIRECTORY,
                cross_mounts=location.root.config.cross_mounts,
            )
        except OSError:
            # Unreadable, another mount, or gone: shown, not entered.
            return None
        self._descriptors.append(descriptor)
        return self._names(descriptor)

    def _names(self, descriptor: int) -> list[tuple[str, FileKind]]:
        names, is_truncated = directory_names(
            descriptor, max_entries=self._limits.max_scan_entries, is_complete=self._is_complete
        )
        self.is_truncated = self.is_truncated or is_truncated
        return names


def directory_names(
    descriptor: int, *, max_entries: int, is_complete: bool = False
) -> tuple[list[tuple[str, FileKind]], bool]:
    """Return the sorted names and kinds in an open directory, and whether there are more than were looked at.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     descriptor = os.open(folder, os.O_RDONLY)
    ...     print(directory_names(descriptor, max_entries=1))
    ...     os.close(descriptor)
    ([], False)
    """
    with os.scandir(descriptor) as entries:
        names = [
            (entry.name, _kind(entry))
            for entry in islice(entries, max_entries)
            if is_complete or not TEMPORARY_NAME.fullmatch(entry.name)
        ]
        is_truncated = next(entries, None) is not None
    names.sort()
    return names, is_truncated


def _kind(entry: os.DirEntry[str]) -> FileKind:
    try:
        if entry.is_file(follow_symlinks=False):
            return FileKind.FILE
        if entry.is_dir(follow_symlinks=False):
            return FileKind.DIRECTORY
    except OSError:
        return FileKind.SPECIAL
    return FileKind.SYMLINK if entry.is_symlink() else FileKind.SPECIAL
