"""A handler's door to the client's files."""

from __future__ import annotations

import codecs
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.directory_listing import DirectoryListing
from mcp_server.resources.filesystem.directory_watcher import DirectoryWatcher
from mcp_server.resources.filesystem.file_content import FileContent
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.file_stat import FileStat
from mcp_server.resources.filesystem.lines import first_lines, last_lines
from mcp_server.resources.filesystem.os_errors import shown
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.filesystem.walk_result import WalkResult
from mcp_server.security.access_gate import AccessGate
from mcp_server.security.doors.write_plan import WritePlan, writing_type
from mcp_server.security.permissions.permission_type import PermissionType

# Reading that much of a file that is in memory takes about 15 us, handing it to a thread and back 30 to 50.
QUICK_READ_BYTES: Final = 64 * 1024

AnyPath = str | os.PathLike[str]


class FileDoor:
    """The client's files, each access permitted one by one before anything is opened.

    Paths are the client's own words: relative to its first folder, or absolute below one of its folders. What the
    chain pinned for a bound argument is used as it was pinned.

    Args:
        files: The client's files, None when it has no folder.
        gate: Decides on every access.
        pinned: What the chain holds already, by absolute path.
        run_blocking: Runs a function with its arguments in a thread.

    >>> import asyncio, tempfile
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem_manager import FileSystemManager
    >>> class Open:
    ...     async def require(self, permission_type, resource, relative=None):
    ...         print(permission_type, relative)
    ...     def allows(self, permission_type, resource, relative=None):
    ...         return True
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = FileSystemManager(roots=[RootConfig(folder)])
    ...     door = FileDoor(files=files, gate=Open(), pinned={}, run_blocking=asyncio.to_thread)
    ...     _ = asyncio.run(door.write_text("a.txt", "hello"))
    ...     print(asyncio.run(door.read_text("a.txt")))
    FILE_WRITE a.txt
    FILE_READ a.txt
    hello
    """

    __slots__ = ("_files", "_gate", "_pinned", "_run_blocking")

    def __init__(
        self,
        *,
        files: ClientFiles | None,
        gate: AccessGate,
        pinned: Mapping[str, PinnedFile],
        run_blocking: Callable[..., Awaitable[Any]],
    ) -> None:
        self._files = files
        self._gate = gate
        self._pinned = dict(pinned)
        self._run_blocking = run_blocking

    @property
    def roots(self) -> tuple[str, ...]:
        """The absolute paths of the client's folders; relative paths start at the first."""
        return () if self._files is None else tuple(root.path for root in self._files.roots)

    @property
    def plan(self) -> WritePlan:
        """What concerns many new files together, before each of them is written."""
        return WritePlan(files=self._manager, gate=self._gate)

    def absolute(self, path: AnyPath) -> str:
        """Return the canonical absolute name of `path`; touches no file and needs no permission.

        Raises:
            SandboxViolationError: It leads out of the client's folders.
        """
        return self._locate(path).absolute

    async def read(self, path: AnyPath, *, offset: int = 0, max_bytes: int | None = None) -> FileContent:
        """Read a file, or the part of it from `offset` on; needs FILE_READ.

        Args:
            path: Which file.
            offset: The first byte wanted.
            max_bytes: Most bytes wanted; the client's own limit holds as well, and `truncated` tells of it.

        Raises:
            PermissionDeniedError: Not declared, not granted, or nobody agreed.
            SandboxViolationError: It leads out of the folders, through a link, or to something that is no file.
            ResourceUnavailableError: There is no such file, or it cannot be read.
        """
        location = await self._permitted(PermissionType.FILE_READ, path)
        return await self._read(location, offset, max_bytes)

    async def read_bytes(self, path: AnyPath) -> bytes:
        """Read a whole file; needs FILE_READ.

        Raises:
            LimitExceededError: It is larger than one read may be.
        """
        location = await self._permitted(PermissionType.FILE_READ, path)
        return await self._read_whole(location)

    async def read_text(
        self, path: AnyPath, *, encoding: str = "utf-8", head: int | None = None, tail: int | None = None
    ) -> str:
        """Read a whole text, or its first or last lines; needs FILE_READ. Line ends are kept as they are.

        Args:
            path: Which file.
            encoding: Its encoding; nothing is guessed or replaced.
            head: Only so many lines from the start.
            tail: Only so many lines from the end.

        Raises:
            ResourceUnavailableError: `not_text` where the bytes are not in that encoding.
            LimitExceededError: What was asked for is larger than one read may be.
        """
        location = await self._permitted(PermissionType.FILE_READ, path)
        if head is None and tail is None:
            return _decoded(await self._read_whole(location), encoding, location)
        if head is not None and tail is not None:
            raise ResourceUnavailableError("io", "ask for the first lines or for the last, not for both")
        if not _has_plain_newlines(encoding):
            text = _decoded(await self._read_whole(location), encoding, location)
            lines = text.splitlines(keepends=True)
            return "".join(lines[:head] if head is not None else lines[len(lines) - min(tail or 0, len(lines)) :])
        data = await self._run_blocking(self._lines, location, head, tail or 0)
        return _decoded(data, encoding, location)

    async def write_bytes(
        self, path: AnyPath, data: bytes, *, create_only: bool = False, if_match: str | None = None
    ) -> FileStat:
        """Write a whole file at once; needs FILE_WRITE, in a further folder FILE_WRITE_GLOBAL.

        A reader sees the old content or the new one, never a part.

        Args:
            path: Which file; its directory must exist.
            data: The whole content.
            create_only: Whether to refuse when it exists.
            if_match: SHA-256 that the present content must have, as `FileContent.sha256` gives it.

        Raises:
            PermissionDeniedError: Not declared, not granted, or nobody agreed.
            SandboxViolationError: A protected name, a link, a quota, or outside the folders.
            ResourceUnavailableError: `changed`, `exists`, `missing`, `full` and so on.
        """
        location = await self._permitted_to_write(path)
        status: FileStat = await self._run_blocking(self._write, location, data, create_only, if_match)
        self._forget(location)
        return status

    async def write_text(
        self,
        path: AnyPath,
        text: str,
        *,
        encoding: str = "utf-8",
        create_only: bool = False,
        if_match: str | None = None,
    ) -> FileStat:
        """Write a whole text at once; see `write_bytes`.

        Raises:
            ResourceUnavailableError: `not_text` where the text cannot be written in that encoding.
        """
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError as error:
            raise ResourceUnavailableError("not_text", f"the text cannot be written in {encoding}") from error
        return await self.write_bytes(path, data, create_only=create_only, if_match=if_match)

    async def list(self, path: AnyPath = ".", *, offset: int = 0, max_entries: int | None = None) -> DirectoryListing:
        """Return one page of a directory, sorted by name; needs DIRECTORY_LIST.

        Args:
            path: Which directory.
            offset: How many names to leave out.
            max_entries: Most entries of the page.
        """
        location = await self._permitted(PermissionType.DIRECTORY_LIST, path)

        def work() -> DirectoryListing:
            return self._manager.list_directory(self._target(location), offset=offset, max_entries=max_entries)

        listing: DirectoryListing = await self._run_blocking(work)
        return listing

    async def walk(
        self,
        path: AnyPath = ".",
        *,
        max_entries: int | None = None,
        max_depth: int | None = None,
        select: Callable[[FileLocation, FileKind], bool] | None = None,
        prune: Callable[[FileLocation], bool] | None = None,
    ) -> WalkResult:
        """Return what lies below a directory; needs DIRECTORY_LIST of it.

        What the client may neither list nor read without being asked is left out, and so is what lies below it.

        Args:
            path: Where to start.
            max_entries: Most entries looked at.
            max_depth: How deep to go.
            select: Chooses among what is found, in a thread; None takes all.
            prune: Refuses an entry together with all below it, in a thread.
        """
        location = await self._permitted(PermissionType.DIRECTORY_LIST, path)

        def admit(found: FileLocation, kind: FileKind) -> bool:
            if prune is not None and prune(found):
                return False
            absolute, relative = found.absolute, found.relative
            if self._gate.allows(PermissionType.DIRECTORY_LIST, absolute, relative):
                return True
            return kind is not FileKind.DIRECTORY and self._gate.allows(PermissionType.FILE_READ, absolute, relative)

        def work() -> WalkResult:
            walk = self._manager.walk(self._target(location), max_entries=max_entries, max_depth=max_depth, admit=admit)
            try:
                found = tuple(entry for entry in walk if select is None or select(entry.location, entry.kind))
                return WalkResult(found, walk.is_truncated)
            finally:
                walk.close()

        result: WalkResult = await self._run_blocking(work)
        return result

    async def stat(self, path: AnyPath) -> FileStat:
        """Return kind, size and times; needs DIRECTORY_LIST or FILE_READ of it."""
        location = self._locate(path)
        names = (location.absolute, location.relative)
        readable = not self._gate.allows(PermissionType.DIRECTORY_LIST, *names) and self._gate.allows(
            PermissionType.FILE_READ, *names
        )
        first, second = PermissionType.DIRECTORY_LIST, PermissionType.FILE_READ
        if readable:
            first, second = second, first
        try:
            await self._gate.require(first, *names)
        except PermissionDeniedError:
            await self._gate.require(second, *names)
        target = self._target(location)
        if isinstance(target, PinnedFile) or location.root.is_quick:
            return self._manager.stat(target)
        status: FileStat = await self._run_blocking(self._manager.stat, target)
        return status

    async def mkdir(self, path: AnyPath, *, parents: bool = True, exist_ok: bool = True) -> bool:
        """Make a directory and return whether it is new; needs FILE_WRITE, in a further folder FILE_WRITE_GLOBAL.

        Args:
            path: Which directory.
            parents: Whether to make the directories above it as well.
            exist_ok: Whether it may exist already.
        """
        location = await self._permitted_to_write(path)

        def work() -> bool:
            return self._manager.make_directory(location, parents=parents, exist_ok=exist_ok)

        is_new: bool = await self._run_blocking(work)
        return is_new

    async def move(self, source: AnyPath, destination: AnyPath) -> None:
        """Rename a file or directory; needs FILE_WRITE on both ends and, of a directory, on everything in it.

        Raises:
            ResourceUnavailableError: `exists`: nothing is ever replaced.
        """
        start = await self._permitted_to_write(source)
        end = await self._permitted_to_write(destination)
        for location in await self._below(start):
            await self._require(writing_type(start), location)
            new = FileLocation(end.root, end.parts + location.parts[len(start.parts) :])
            await self._require(writing_type(end), new)
        await self._run_blocking(self._manager.move, start, end)
        self._forget(start)
        self._forget(end)

    async def delete(self, path: AnyPath, *, recursive: bool = False) -> None:
        """Remove a file, a link itself or a directory; needs FILE_DELETE of it and of everything in it.

        Args:
            path: What to remove.
            recursive: Whether a directory that is not empty goes with everything in it.
        """
        location = await self._permitted(PermissionType.FILE_DELETE, path)
        if recursive:
            for below in await self._below(location):
                await self._require(PermissionType.FILE_DELETE, below)

        def work() -> None:
            self._manager.delete(location, recursive=recursive)

        await self._run_blocking(work)
        self._forget(location)

    async def watch(self, path: AnyPath, watcher: DirectoryWatcher) -> None:
        """Let a watcher report changes of a file; needs FILE_READ of it."""
        location = await self._permitted(PermissionType.FILE_READ, path)
        await self._run_blocking(self._manager.watch, location, watcher)

    @property
    def _manager(self) -> ClientFiles:
        if self._files is None:
            raise ResourceUnavailableError("missing", "this client has no folder")
        return self._files

    def _locate(self, path: AnyPath) -> FileLocation:
        text = os.fspath(path)
        if not isinstance(text, str):
            raise SandboxViolationError("name", "a path is a text")
        return self._manager.locate(text)

    async def _permitted(self, permission_type: PermissionType, path: AnyPath) -> FileLocation:
        location = self._locate(path)
        await self._gate.require(permission_type, location.absolute, location.relative)
        return location

    async def _permitted_to_write(self, path: AnyPath) -> FileLocation:
        location = self._locate(path)
        await self._gate.require(writing_type(location), location.absolute, location.relative)
        return location

    async def _require(self, permission_type: PermissionType, location: FileLocation) -> None:
        """Permit one of many: quickly where nobody has to be asked."""
        if not self._gate.allows(permission_type, location.absolute, location.relative):
            await self._gate.require(permission_type, location.absolute, location.relative)

    async def _below(self, location: FileLocation) -> tuple[FileLocation, ...]:
        """Return everything below a directory; nothing for anything else.

        Raises:
            LimitExceededError: There is more than can be looked at, so it cannot be permitted as a whole.
        """

        def work() -> tuple[tuple[FileLocation, ...], bool]:
            if self._manager.stat(location).kind is not FileKind.DIRECTORY:
                return (), True
            walk = self._manager.walk(location)
            try:
                entries = tuple(walk)
                return tuple(entry.location for entry in entries), not (
                    walk.is_truncated or any(entry.is_cut for entry in entries)
                )
            finally:
                walk.close()

        found: tuple[FileLocation, ...]
        found, is_complete = await self._run_blocking(work)
        if not is_complete:
            raise LimitExceededError(
                "max_walk_entries", f"{shown(location)} holds more than can be checked; take its parts one by one"
            )
        return found

    def _target(self, location: FileLocation) -> FileLocation | PinnedFile:
        return self._pinned.get(location.absolute, location)

    def _forget(self, location: FileLocation) -> None:
        """Stop using what was pinned at and below a name that now means something else."""
        absolute = location.absolute
        for name in [name for name in self._pinned if name == absolute or name.startswith(absolute + "/")]:
            del self._pinned[name]

    async def _read(self, location: FileLocation, offset: int, max_bytes: int | None) -> FileContent:
        manager = self._manager
        target = self._target(location)
        if location.root.is_quick:
            pinned = target if isinstance(target, PinnedFile) else manager.pin(target, kind="file")
            try:
                size = pinned.status.st_size - offset
                if (size if max_bytes is None else min(size, max_bytes)) <= QUICK_READ_BYTES:
                    return manager.read(pinned, offset=offset, max_bytes=max_bytes)
            finally:
                # What is not read here is opened anew in the thread: a thread outlives a cancelled call.
                if pinned is not target:
                    pinned.close()

        def work() -> FileContent:
            return manager.read(target, offset=offset, max_bytes=max_bytes)

        content: FileContent = await self._run_blocking(work)
        return content

    async def _read_whole(self, location: FileLocation) -> bytes:
        content = await self._read(location, 0, None)
        if content.truncated:
            raise LimitExceededError(
                "max_read_bytes",
                f"{shown(location)} is larger than {self._manager.limits.max_read_bytes} bytes; read it in parts",
            )
        return content.data

    def _write(self, location: FileLocation, data: bytes, create_only: bool, if_match: str | None) -> FileStat:
        return self._manager.write(location, data, create_only=create_only, if_match=if_match)

    def _lines(self, location: FileLocation, head: int | None, tail: int) -> bytes:
        manager = self._manager
        target = self._target(location)
        pinned = target if isinstance(target, PinnedFile) else manager.pin(target, kind="file")

        def part(offset: int, most: int) -> FileContent:
            return manager.read(pinned, offset=offset, max_bytes=most)

        try:
            if head is not None:
                return first_lines(part, head, max_bytes=manager.limits.max_read_bytes)
            size = pinned.status.st_size
            return last_lines(part, tail, size=size, max_bytes=manager.limits.max_read_bytes)
        finally:
            if pinned is not target:
                pinned.close()


def _decoded(data: bytes, encoding: str, location: FileLocation) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ResourceUnavailableError("not_text", f"{shown(location)} is not text in {encoding}") from error


def _has_plain_newlines(encoding: str) -> bool:
    """Whether the byte 10 always and only ends a line, so that a file can be cut there without decoding it."""
    name = codecs.lookup(encoding).name
    return name in ("utf-8", "ascii", "cp1252") or name.startswith("iso8859")
