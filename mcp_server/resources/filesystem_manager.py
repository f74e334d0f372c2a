"""The files of one client: the only code that opens them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.filesystem.atomic_writer import AtomicWriter, temporary_token
from mcp_server.resources.filesystem.directory_listing import DirectoryListing, listing_of
from mcp_server.resources.filesystem.file_content import FileContent
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.file_stat import FileStat
from mcp_server.resources.filesystem.openat2_opener import Openat2Opener
from mcp_server.resources.filesystem.os_errors import translated
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.path_parser import TEMPORARY_NAME, PathParser
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.filesystem.protected_names import PROTECTED_NAMES, ProtectedNames
from mcp_server.resources.filesystem.quota_ledger import QuotaLedger
from mcp_server.resources.filesystem.reading import read_at_most
from mcp_server.resources.filesystem.root import Root
from mcp_server.resources.filesystem.root_access import RootAccess
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.tree_changer import TreeChanger
from mcp_server.resources.filesystem.tree_walk import TreeWalk
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.kernel.openat2 import Openat2
from mcp_server.resources.kernel.renameat2 import Renameat2

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.directory_watcher import DirectoryWatcher

# What a count at start looks at before it takes the folder for full.
_MAX_COUNTED: Final = 1_000_000
# Locations that are remembered, and of how long a text: a client chooses the texts.
_MAX_KEPT_LOCATIONS: Final = 512
_MAX_KEPT_CHARACTERS: Final = 512


class FileSystemManager:
    """Everything one client does with files, within its folders.

    Blocking, and safe to use from several threads. Knows no permissions: whoever calls has asked for them. What it
    does know holds for every caller: no path leaves its folder, no link is followed, no device or pipe is opened, and
    the inode that was looked at is the one that is used.

    Args:
        roots: The client's folders, or what was opened of them already; relative paths start at the first.
        limits: Bounds of single operations.
        protected: Names that are never written; see `PROTECTED_NAMES`.
        forbidden: Directories of the server itself, which no folder may be, contain or lie in.
        token: Makes the random part of temporary names.
        opener: How paths are opened; `openat2` where the kernel has it, else a walk, chosen on first use.

    Raises:
        ConfigurationError: A folder cannot be given to a client.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = FileSystemManager(roots=[RootConfig(folder)])
    ...     _ = files.write(files.locate("a.txt"), b"hello")
    ...     print(files.read(files.locate("a.txt")).data)
    ...     files.close()
    b'hello'
    """

    answers_at_once: Final = True
    """Nothing stands between whoever asks and the kernel."""

    def __init__(
        self,
        *,
        roots: Sequence[RootConfig | Root],
        limits: FileLimits | None = None,
        protected: Sequence[str] = PROTECTED_NAMES,
        forbidden: Sequence[str | os.PathLike[str]] = (),
        token: Callable[[], str] = temporary_token,
        opener: PathOpener | None = None,
    ) -> None:
        self.limits: Final = limits if limits is not None else FileLimits()
        self.roots: tuple[Root, ...] = tuple(
            each if isinstance(each, Root) else Root(each, index=index) for index, each in enumerate(roots)
        )
        for root in self.roots:
            root.refuse_overlap(forbidden)
        self._parser = PathParser(self.roots)
        self._locations: dict[str, FileLocation] = {}
        self._protected = ProtectedNames(protected)
        self._token = token
        self._opener = opener
        self._parts: tuple[RootAccess, AtomicWriter, TreeChanger] | None = None
        self._ledgers = {
            root.index: self._counted(root)
            for root in self.roots
            if root.config.max_bytes is not None or root.config.max_files is not None
        }

    def locate(self, text: str) -> FileLocation:
        """Return where the client's `text` points; touches no file.

        Raises:
            SandboxViolationError: `escape` or `name`.
        """
        # A pure function of the text and the folders, asked several times for each call.
        location = self._locations.get(text)
        if location is None:
            location = self._parser.parse(text)
            if len(text) <= _MAX_KEPT_CHARACTERS:
                if len(self._locations) >= _MAX_KEPT_LOCATIONS:
                    self._locations.clear()
                self._locations[text] = location
        return location

    def innermost(self, location: FileLocation) -> FileLocation:
        """Return the same place in the innermost folder that holds it, which is where `locate` finds it."""
        return self._parser.innermost(location.root, location.parts)

    def pin(self, location: FileLocation, *, kind: Literal["any", "file", "directory"] = "any") -> PinnedFile:
        """Hold what is there, checked, so that later use means this very inode.

        Raises:
            SandboxViolationError: It is a link, a pipe, a device, has a second name, or is on another mount.
            ResourceUnavailableError: It is missing or of the other kind.
        """
        return self._access.pin(location, kind=kind)

    def read(self, target: FileLocation | PinnedFile, *, offset: int = 0, max_bytes: int | None = None) -> FileContent:
        """Read a file, or the part of it from `offset` on.

        Args:
            target: Where it is, or what was pinned.
            offset: The first byte wanted.
            max_bytes: Most bytes wanted; never more than `limits.max_read_bytes`.

        Raises:
            SandboxViolationError: As for `pin`.
            ResourceUnavailableError: It cannot be read.
        """
        if isinstance(target, FileLocation):
            with self._access.pin(target, kind="file") as pinned:
                return self.read(pinned, offset=offset, max_bytes=max_bytes)
        location = target.location
        self._access.check_kind(target.status, location, "file")
        most = self.limits.max_read_bytes if max_bytes is None else max(0, min(max_bytes, self.limits.max_read_bytes))
        try:
            descriptor = target.reopen(os.O_RDONLY)
            try:
                data, is_truncated = read_at_most(descriptor, offset, most, target.status.st_size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise translated(error, location) from error
        return FileContent(data, target.status.st_size, target.status.st_mtime, offset, is_truncated)

    def write(
        self, location: FileLocation, data: bytes, *, create_only: bool = False, if_match: str | None = None
    ) -> FileStat:
        """Write a whole file: afterwards it is the new one, and until then the old one.

        Args:
            location: Where; its directory must exist.
            data: The whole content.
            create_only: Whether to refuse when something is there already.
            if_match: SHA-256 the present content must have, hexadecimal.

        Raises:
            SandboxViolationError: `protected`, `quota`, `symlink`, `special`, `mount`, `name` or `hardlink`.
            ResourceUnavailableError: `missing` directory, `exists`, `changed`, `is_a_directory`, `full`, `busy`, `io`.
            LimitExceededError: The content is larger than `limits.max_write_bytes`.
        """
        if len(data) > self.limits.max_write_bytes:
            raise LimitExceededError(
                "max_write_bytes", f"a file may be written with at most {self.limits.max_write_bytes} bytes"
            )
        ledger = self._ledgers.get(location.root.index)
        return self._writer.write(location, data, ledger=ledger, create_only=create_only, if_match=if_match)

    def check_change(self, location: FileLocation, *, whole: bool = True) -> None:
        """Raise where nothing is ever written, by its name or its folder; touches no file.

        Args:
            location: Where.
            whole: Whether it would be replaced or removed as a whole, with what could hang below it, such as `.git`.

        Raises:
            SandboxViolationError: `protected`.
        """
        self._access.check_change(location)
        if whole:
            self._access.check_whole(location)

    def make_directory(self, location: FileLocation, *, parents: bool = True, exist_ok: bool = True) -> bool:
        """Make a directory and return whether it is new.

        Args:
            location: Where.
            parents: Whether to make the directories above it as well.
            exist_ok: Whether it may exist already.
        """
        ledger = self._ledgers.get(location.root.index)
        return self._changer.make_directory(location, ledger=ledger, parents=parents, exist_ok=exist_ok)

    def list_directory(
        self, target: FileLocation | PinnedFile, *, offset: int = 0, max_entries: int | None = None
    ) -> DirectoryListing:
        """Return one page of a directory, sorted by name.

        Args:
            target: Where it is, or what was pinned.
            offset: How many names to leave out.
            max_entries: Most entries of the page; never more than `limits.max_entries`.
        """
        location = target if isinstance(target, FileLocation) else target.location
        descriptor = self._directory(target)
        try:
            return listing_of(descriptor, self.limits, offset=offset, max_entries=max_entries)
        except OSError as error:
            raise translated(error, location) from error
        finally:
            os.close(descriptor)

    def walk(
        self,
        target: FileLocation | PinnedFile,
        *,
        max_entries: int | None = None,
        max_depth: int | None = None,
        admit: Callable[[FileLocation, FileKind], bool] | None = None,
    ) -> TreeWalk:
        """Return a bounded walk through what lies below a directory; close it, or let it end.

        Args:
            target: Where it is, or what was pinned.
            max_entries: Most entries; never more than `limits.max_walk_entries`.
            max_depth: How deep; never more than `limits.max_depth`.
            admit: Asked for every entry, on the thread that iterates; what it refuses is neither shown nor entered.
        """
        limits = replace(
            self.limits,
            max_walk_entries=min(self.limits.max_walk_entries, max_entries or self.limits.max_walk_entries),
            max_depth=min(self.limits.max_depth, max_depth or self.limits.max_depth),
        )
        return TreeWalk(
            opener=self._access.opener,
            start=target if isinstance(target, FileLocation) else target.location,
            descriptor=self._directory(target),
            limits=limits,
            admit=admit,
        )

    def move(self, source: FileLocation, destination: FileLocation) -> None:
        """Give a file or directory another name; nothing is ever replaced.

        Raises:
            SandboxViolationError: Either end is protected, or leads through a link.
            ResourceUnavailableError: `missing`, `exists`, or the two are on different file systems.
        """
        self._changer.move(
            source,
            destination,
            source_ledger=self._ledgers.get(source.root.index),
            destination_ledger=self._ledgers.get(destination.root.index),
        )

    def delete(self, location: FileLocation, *, recursive: bool = False) -> None:
        """Remove a file, a link itself, or a directory.

        Args:
            location: Where.
            recursive: Whether a directory goes with everything in it; first all of it is looked at, and when something
                is protected or too much, nothing is removed.
        """
        self._changer.delete(location, recursive=recursive, ledger=self._ledgers.get(location.root.index))

    def stat(self, target: FileLocation | PinnedFile) -> FileStat:
        """Return what is known without opening it; of a link that it is one."""
        if isinstance(target, PinnedFile):
            return target.stat
        descriptor = self._access.handle(target)
        try:
            return FileStat.of(os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def watch(self, location: FileLocation, watcher: DirectoryWatcher) -> None:
        """Let `watcher` report changes of a file, which need not exist yet; its directory must.

        Raises:
            SandboxViolationError: The directory leads out.
            ResourceUnavailableError: The directory is missing or cannot be watched.
            LimitExceededError: The system has no watches left.
        """
        with self.pin(location.parent, kind="directory") as directory:
            watcher.watch(directory, location)

    def sweep(self) -> int:
        """Remove half-written files whose writer is gone, in every writable folder, and return how many.

        A writer locks its temporary file; what can be locked has been left behind by a crash. Bounded like a walk.
        """
        return sum(self.sweep_root(root) for root in self.roots if root.writable)

    def sweep_root(self, root: Root) -> int:
        """Do what `sweep` does in one folder."""
        count = 0
        walk = self._complete_walk(root, self.limits)
        try:
            for entry in walk:
                if entry.kind is FileKind.FILE and TEMPORARY_NAME.fullmatch(entry.location.name):
                    count += self._remove_stale(entry.location)
        finally:
            walk.close()
        return count

    def close(self) -> None:
        """Forget the folders. A descriptor closes when the last operation that uses its folder is done."""
        self.roots = ()
        self._parser = PathParser(())
        self._locations = {}

    @property
    def _access(self) -> RootAccess:
        return self._built()[0]

    @property
    def _writer(self) -> AtomicWriter:
        return self._built()[1]

    @property
    def _changer(self) -> TreeChanger:
        return self._built()[2]

    def _built(self) -> tuple[RootAccess, AtomicWriter, TreeChanger]:
        # On first use, for `ctypes` takes longer to import than everything else here. Two threads may both build;
        # the results are alike.
        parts = self._parts
        if parts is None:
            opener = self._opener if self._opener is not None else choose_opener()
            access = RootAccess(opener=opener, protected=self._protected)
            writer = AtomicWriter(access=access, renameat2=Renameat2(), token=self._token)
            parts = self._parts = (access, writer, TreeChanger(access=access, writer=writer, limits=self.limits))
        return parts

    def _directory(self, target: FileLocation | PinnedFile) -> int:
        if isinstance(target, FileLocation):
            return self._access.directory(target)
        self._access.check_kind(target.status, target.location, "directory")
        try:
            return target.reopen(os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise translated(error, target.location) from error

    def _complete_walk(self, root: Root, limits: FileLimits) -> TreeWalk:
        start = FileLocation(root, ())
        return TreeWalk(
            opener=self._access.opener,
            start=start,
            descriptor=self._access.directory(start),
            limits=limits,
            is_complete=True,
        )

    def _counted(self, root: Root) -> QuotaLedger:
        """Return the ledger of a root, counted from what is there; what cannot be counted is full."""
        self.sweep_root(root)
        max_bytes, max_files = root.config.max_bytes, root.config.max_files
        # One more than the quota settles the question.
        most = _MAX_COUNTED if max_files is None else min(max_files + 1, _MAX_COUNTED)
        walk = self._complete_walk(root, replace(self.limits, max_walk_entries=most))
        size, files = 0, 0
        try:
            for entry in walk:
                files += 1
                size += walk.size_of(entry)
            if walk.is_truncated:
                size, files = max(size, max_bytes or 0), max(files, max_files or 0)
        finally:
            walk.close()
        return QuotaLedger(max_bytes=max_bytes, max_files=max_files, used_bytes=size, used_files=files)

    def _remove_stale(self, location: FileLocation) -> int:
        try:
            directory = self._access.directory(location.parent)
        except MCPServerError:
            return 0
        try:
            with self._access.pin(location, kind="file") as pinned:
                descriptor = pinned.reopen(os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(location.name, dir_fd=directory)
                return 1
            finally:
                os.close(descriptor)
        except (OSError, MCPServerError):
            # Alive, gone, or not ours.
            return 0
        finally:
            os.close(directory)


def choose_opener() -> PathOpener:
    """Return the opener this kernel allows: one system call, or the walk that does the same.

    >>> choose_opener().open.__name__
    'open'
    """
    try:
        return Openat2Opener(openat2=Openat2())
    except OSError:
        return WalkingOpener()
