"""Telling when files change that somebody waits for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.os_errors import shown
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.kernel.inotify import (
    IN_CLOSE_WRITE,
    IN_CREATE,
    IN_DELETE,
    IN_DELETE_SELF,
    IN_IGNORED,
    IN_MOVE_SELF,
    IN_MOVED_FROM,
    IN_MOVED_TO,
    IN_Q_OVERFLOW,
    IN_UNMOUNT,
    Inotify,
)

_MASK: Final = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_MOVED_FROM | IN_MOVED_TO
_LOST: Final = IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED
# The kernel allows an account some 8,000 to 500,000 watches, which all its programs share.
MAX_FILES: Final = 256
# Buffers read in one go; more events than these hold are one change each all the same.
MAX_READS: Final = 8


class DirectoryWatcher:
    """Watches the directories of single files, by the directories' inodes, and reports the files by name.

    The directory and not the file is watched, for editors replace a file by another. A file that is not there yet may
    be watched too. When the queue overflows or a directory is moved away, every file it concerns is reported: told
    once too often is right, never told is not.

    Args:
        on_change: Called with the absolute name of a file that may have changed, from within `drain`.
        max_files: How many files are watched; the longest unasked for gives way.

    >>> import os, tempfile
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem_manager import FileSystemManager
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = FileSystemManager(roots=[RootConfig(folder)])
    ...     watcher = DirectoryWatcher(on_change=lambda path: print(os.path.basename(path)))
    ...     files.watch(files.locate("a.txt"), watcher)
    ...     _ = files.write(files.locate("a.txt"), b"new"), files.write(files.locate("b.txt"), b"other")
    ...     watcher.drain()
    ...     watcher.close()
    a.txt
    """

    def __init__(self, *, on_change: Callable[[str], None], max_files: int = MAX_FILES) -> None:
        self._on_change = on_change
        self._max_files = max_files
        self._queue = Inotify()
        self._lock = threading.Lock()
        # Absolute name -> the number of its directory's watch, in the order they were asked for.
        self._files: OrderedDict[str, int] = OrderedDict()

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something to `drain`."""
        return self._queue.fd

    def watch(self, directory: PinnedFile, location: FileLocation) -> None:
        """Report changes of the file at `location` from now on; may be called from any thread.

        Args:
            directory: The directory it is in, which may be closed afterwards.
            location: The file.

        Raises:
            ResourceUnavailableError: The directory cannot be watched.
            LimitExceededError: The system has no watches left.
        """
        with self._lock:
            if self._queue.fd < 0:
                raise ResourceUnavailableError("io", "the server is shutting down")
            try:
                watch = self._queue.add(directory.fd, _MASK)
            except PermissionError as error:
                raise ResourceUnavailableError("io", f"{shown(location)} cannot be watched") from error
            except OSError as error:
                raise LimitExceededError("watches", "the system has no watches left; read again instead") from error
            self._files[location.absolute] = watch
            self._files.move_to_end(location.absolute)
            if len(self._files) > self._max_files:
                self._drop(next(iter(self._files)))

    def drain(self) -> None:
        """Read what happened and report each file at most once. Never waits."""
        changed: dict[str, None] = {}
        with self._lock:
            for _ in range(MAX_READS):
                events = self._queue.read() if self._queue.fd >= 0 else []
                if not events:
                    break
                for event in events:
                    changed.update(dict.fromkeys(self._concerned(event.watch, event.mask, event.name)))
        for absolute in changed:
            self._on_change(absolute)

    def close(self) -> None:
        """Stop; may be called twice."""
        with self._lock:
            self._files.clear()
            self._queue.close()

    def _concerned(self, watch: int, mask: int, name: str) -> list[str]:
        if mask & IN_Q_OVERFLOW:
            return list(self._files)
        of_directory = [absolute for absolute, number in self._files.items() if number == watch]
        if mask & _LOST:
            for absolute in of_directory:
                del self._files[absolute]
            self._queue.remove(watch)
            return of_directory
        return [absolute for absolute in of_directory if absolute.rpartition("/")[2] == name]

    def _drop(self, absolute: str) -> None:
        watch = self._files.pop(absolute)
        if watch not in self._files.values():
            self._queue.remove(watch)
