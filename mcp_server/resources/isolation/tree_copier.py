"""Copying what a client may read into a staging directory."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.isolation.copy_report import CopyReport
from mcp_server.resources.isolation.entry_kind import EntryKind
from mcp_server.resources.isolation.path_predicate import PathPredicate
from mcp_server.resources.isolation.refusal import Refusal, refusal_of
from mcp_server.resources.isolation.snapshot_entry import SnapshotEntry
from mcp_server.resources.isolation.staging_limits import StagingLimits

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NONBLOCK
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY
_FILE_MODE: Final = 0o600
_PROGRAM_MODE: Final = 0o700
_DIRECTORY_MODE: Final = 0o700
_CHUNK_BYTES: Final = 1024 * 1024
# A settings file that somebody writes by hand is far smaller.
_MAX_SUBSTITUTED_BYTES: Final = 1024 * 1024


class TreeCopier:
    """Copies files through the client's `ClientFiles` into a tree of which nobody else knows yet.

    Only plain files and the directories around them: links, pipes, sockets, devices, files with a second name and
    what is on another mount stay out by the manager's own checks. What is copied keeps its name, its modification
    time and whether its owner may execute it, and nothing else: no owner, no group, no special bit, no attribute.

    Args:
        tree: Descriptor of the staging directory.
        opener: Opens within it.
        limits: How much is copied.
        owner: User and group the copies are given to, None to keep them.
        copied: What was copied, by path; filled here.
        substitutes: Paths of files of which not the content is copied, but what the function makes of it.

    >>> TreeCopier.copy.__annotations__["may_read"]
    'PathPredicate'
    """

    __slots__ = ("_copied", "_limits", "_opener", "_owner", "_size_bytes", "_skipped", "_substitutes", "_tree")

    def __init__(
        self,
        tree: int,
        *,
        opener: PathOpener,
        limits: StagingLimits,
        owner: tuple[int, int] | None,
        copied: dict[str, SnapshotEntry],
        substitutes: Mapping[str, Callable[[bytes], bytes]] | None = None,
    ) -> None:
        self._tree = tree
        self._opener = opener
        self._limits = limits
        self._owner = owner
        self._copied = copied
        self._substitutes = substitutes or {}
        self._size_bytes = sum(entry.size_bytes for entry in copied.values())
        self._skipped: Counter[Refusal] = Counter()

    def copy(
        self,
        manager: ClientFiles,
        names: Iterable[str | FileLocation] | None,
        *,
        may_read: PathPredicate,
        may_list: PathPredicate,
    ) -> CopyReport:
        """Copy what `names` name; see `StagingArea.copy_in`."""
        size, before = self._size_bytes, len(self._copied)
        is_truncated = False
        for name in (".",) if names is None else names:
            try:
                location = name if isinstance(name, FileLocation) else manager.locate(name)
                pinned = manager.pin(location)
            except MCPServerError as error:
                self._skipped[refusal_of(error)] += 1
                continue
            with pinned:
                if pinned.kind is FileKind.FILE:
                    self._take_file(manager, location, may_read)
                else:
                    is_truncated = self._take_tree(manager, pinned, may_read, may_list) or is_truncated
        # A dictionary keeps the order in which it was filled.
        new = list(self._copied.values())[before:]
        directories = sum(entry.kind is EntryKind.DIRECTORY for entry in new)
        skipped, self._skipped = self._skipped, Counter()
        return CopyReport(
            files=len(new) - directories,
            directories=directories,
            size_bytes=self._size_bytes - size,
            skipped=MappingProxyType(dict(skipped)),
            is_truncated=is_truncated,
        )

    def make_directory(self, manager: ClientFiles, location: FileLocation) -> None:
        """Make one directory, with those above it and nothing in it, where the folder has it."""
        try:
            pinned = manager.pin(location, kind="directory")
        except MCPServerError as error:
            self._skipped[refusal_of(error)] += 1
            return
        pinned.close()
        self._take_directory(manager, location, lambda absolute, relative: True)

    def _take_tree(
        self, manager: ClientFiles, pinned: PinnedFile, may_read: PathPredicate, may_list: PathPredicate
    ) -> bool:
        """Copy what is in a directory and return whether there is more than was looked at."""
        self._take_directory(manager, pinned.location, may_list)
        walk = manager.walk(pinned, max_depth=self._limits.max_depth)
        try:
            for entry in walk:
                if entry.kind is FileKind.FILE:
                    self._take_file(manager, entry.location, may_read)
                elif entry.kind is FileKind.DIRECTORY:
                    if entry.is_cut:
                        is_deep = entry.depth >= self._limits.max_depth
                        self._skipped[Refusal.TOO_DEEP if is_deep else Refusal.UNAVAILABLE] += 1
                    self._take_directory(manager, entry.location, may_list)
                else:
                    is_link = entry.kind is FileKind.SYMLINK
                    self._skipped[Refusal.SYMLINK if is_link else Refusal.SPECIAL] += 1
            return walk.is_truncated
        finally:
            walk.close()

    def _take_directory(self, manager: ClientFiles, found: FileLocation, may_list: PathPredicate) -> None:
        # One that may not be listed comes into being with the first file in it that may be read.
        location = self._canonical(manager, found)
        if location is None or not location.parts or not may_list(location.absolute, location.relative):
            return
        if self._has_room(location.parts):
            os.close(self._directory(location.parts))

    def _take_file(self, manager: ClientFiles, found: FileLocation, may_read: PathPredicate) -> None:
        location = self._canonical(manager, found)
        if location is None or location.relative in self._copied:
            return
        if not may_read(location.absolute, location.relative):
            self._skipped[Refusal.NOT_PERMITTED] += 1
            return
        if not self._has_room(location.parts):
            return
        try:
            with manager.pin(location, kind="file") as pinned:
                if pinned.status.st_size > self._limits.max_bytes - self._size_bytes:
                    self._skipped[Refusal.TOO_LARGE] += 1
                    return
                source = pinned.reopen(_READ)
        except (MCPServerError, OSError) as error:
            self._skipped[refusal_of(error)] += 1
            return
        try:
            self._copy_file(source, pinned.status, location.parts)
        finally:
            os.close(source)

    def _canonical(self, manager: ClientFiles, found: FileLocation) -> FileLocation | None:
        """Return the place as a client would name it, so that the rules for what it means hold; None to skip it."""
        try:
            location = manager.locate(found.relative if found.root is manager.roots[0] else found.absolute)
        except MCPServerError as error:
            self._skipped[refusal_of(error)] += 1
            return None
        if location.root is not manager.roots[0]:
            self._skipped[Refusal.OTHER_FOLDER] += 1
            return None
        return location

    def _has_room(self, parts: tuple[str, ...]) -> bool:
        if len(parts) > self._limits.max_depth:
            self._skipped[Refusal.TOO_DEEP] += 1
            return False
        new = sum("/".join(parts[:length]) not in self._copied for length in range(1, len(parts) + 1))
        if len(self._copied) + new > self._limits.max_files:
            self._skipped[Refusal.TOO_MANY] += 1
            return False
        return True

    def _copy_file(self, source: int, status: os.stat_result, parts: tuple[str, ...]) -> None:
        directory = self._directory(parts[:-1])
        try:
            descriptor = os.open(parts[-1], _CREATE, _FILE_MODE, dir_fd=directory)
            try:
                substitute = self._substitutes.get("/".join(parts))
                if substitute is None:
                    digest = self._copy_content(source, descriptor)
                else:
                    digest = self._copy_substitute(source, descriptor, substitute)
                if digest is None:
                    os.unlink(parts[-1], dir_fd=directory)
                    return
                self._hand_over(descriptor, _PROGRAM_MODE if status.st_mode & stat.S_IXUSR else _FILE_MODE)
                # Programs that build things compare these times.
                os.utime(descriptor, ns=(status.st_mtime_ns, status.st_mtime_ns))
                self._copied["/".join(parts)] = SnapshotEntry.of(os.fstat(descriptor), sha256=digest)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _unusable(error) from error
        finally:
            os.close(directory)

    def _copy_content(self, source: int, descriptor: int) -> str | None:
        """Copy and return the hash of what was copied, which is what counts later; None for what was skipped."""
        digest = hashlib.sha256()
        size = 0
        while True:
            try:
                data = os.read(source, _CHUNK_BYTES)
            except OSError as error:
                self._skipped[refusal_of(error)] += 1
                return None
            if not data:
                break
            size += len(data)
            if size > self._limits.max_bytes - self._size_bytes:
                # It has grown since its size was noted.
                self._skipped[Refusal.TOO_LARGE] += 1
                return None
            digest.update(data)
            _write(descriptor, data)
        self._size_bytes += size
        return digest.hexdigest()

    def _copy_substitute(self, source: int, descriptor: int, substitute: Callable[[bytes], bytes]) -> str | None:
        """Write what `substitute` makes of the content, and return the hash of that; None for what was skipped."""
        try:
            data = os.read(source, _MAX_SUBSTITUTED_BYTES)
        except OSError as error:
            self._skipped[refusal_of(error)] += 1
            return None
        if len(data) == _MAX_SUBSTITUTED_BYTES:
            self._skipped[Refusal.TOO_LARGE] += 1
            return None
        data = substitute(data)
        _write(descriptor, data)
        self._size_bytes += len(data)
        return hashlib.sha256(data).hexdigest()

    def _directory(self, parts: tuple[str, ...]) -> int:
        """Return a descriptor of the copy of a directory, made where it does not exist yet."""
        try:
            current = self._opener.open(self._tree, (), _DIRECTORY)
            try:
                for length, name in enumerate(parts, 1):
                    path = "/".join(parts[:length])
                    if path not in self._copied:
                        os.mkdir(name, _DIRECTORY_MODE, dir_fd=current)
                    following = self._opener.open(current, (name,), _DIRECTORY)
                    os.close(current)
                    current = following
                    if path not in self._copied:
                        self._hand_over(current, _DIRECTORY_MODE)
                        self._copied[path] = SnapshotEntry.of(os.fstat(current))
                opened, current = current, -1
                return opened
            finally:
                if current >= 0:
                    os.close(current)
        except OSError as error:
            raise _unusable(error) from error

    def _hand_over(self, descriptor: int, mode: int) -> None:
        # The owner first: giving a file away may take bits from its mode, never add any.
        if self._owner is not None:
            os.fchown(descriptor, *self._owner)
        os.fchmod(descriptor, mode)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _unusable(error: OSError) -> ResourceUnavailableError:
    reason = "full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "io"
    return ResourceUnavailableError(reason, "the staging directory of this run cannot be written")
