"""The files of one client, which another process opens."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.broker.broker_host import BrokerHost
from mcp_server.resources.broker.brokered_file import BrokeredFile, status_of_handed_over
from mcp_server.resources.broker.brokered_opener import BrokeredOpener
from mcp_server.resources.broker.facts import stat_of, status_of
from mcp_server.resources.broker.running_broker import RunningBroker
from mcp_server.resources.filesystem.directory_listing import DirectoryListing, listing_of
from mcp_server.resources.filesystem.file_content import FileContent
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.file_stat import FileStat
from mcp_server.resources.filesystem.os_errors import translated
from mcp_server.resources.filesystem.path_parser import PathParser
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.filesystem.protected_names import PROTECTED_NAMES, ProtectedNames
from mcp_server.resources.filesystem.reading import read_at_most
from mcp_server.resources.filesystem.root import Root
from mcp_server.resources.filesystem.root_access import RootAccess
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.tree_walk import TreeWalk

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.directory_watcher import DirectoryWatcher

T = TypeVar("T")
Start = Callable[[Mapping[str, Any]], RunningBroker]

# What a taken over broker could tell of removed files is told to the log and to nobody else.
_MAX_SWEPT: Final = 1_000_000


class BrokeredFiles:
    """Everything one client does with files, each of them opened by a process that can open nothing else.

    What a text names is parsed here, for the policy is asked about it; the broker looks at it anew. What is opened is
    opened there, and handed over as what can be read and nothing else; bytes and names are read from it here. What is
    changed is changed there.

    Blocking, and safe to use from several threads; but for `locate` and `check_change`, nothing of it belongs on an
    event loop.

    Args:
        roots: The client's folders; relative paths start at the first.
        start: Starts a broker that is told the folders in these words, without waiting for it.
        limits: Bounds of single operations.
        protected: Names that are never written; see `PROTECTED_NAMES`.
        forbidden: Directories of the server itself, which no folder may be, contain or lie in.
        on_end: Told why a broker has ended that nobody had wanted to end; from any thread.

    Raises:
        ConfigurationError: A folder cannot be given to a client, or not to a broker.

    >>> BrokeredFiles.answers_at_once
    False
    """

    answers_at_once: Final = False
    """Another process is asked, which may be busy or worse."""

    def __init__(
        self,
        *,
        roots: Sequence[RootConfig],
        start: Start,
        limits: FileLimits | None = None,
        protected: Sequence[str] = PROTECTED_NAMES,
        forbidden: Sequence[str | os.PathLike[str]] = (),
        on_end: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self.limits: Final = limits if limits is not None else FileLimits()
        self.roots: tuple[Root, ...] = tuple(
            Root(config, index=index, may_be_quick=False) for index, config in enumerate(roots)
        )
        for root in self.roots:
            root.refuse_overlap(forbidden)
        _refuse_what_rules_cannot_say(self.roots)
        self._parser = PathParser(self.roots)
        job = _job(self.roots, self.limits, protected)
        self._host: Final = BrokerHost(start=lambda: start(job), on_end=on_end)
        # Names alone are looked at with it; it opens nothing.
        self._names: Final = RootAccess(
            opener=BrokeredOpener(host=self._host, root=0), protected=ProtectedNames(protected)
        )
        self._host.warm_up()

    @property
    def broker_pid(self) -> int | None:
        """The number of the broker's process, None while there is none."""
        return self._host.pid

    def locate(self, text: str) -> FileLocation:
        """Return where the client's `text` points; touches no file.

        Raises:
            SandboxViolationError: `escape` or `name`.
        """
        return self._parser.parse(text)

    def pin(self, location: FileLocation, *, kind: Literal["any", "file", "directory"] = "any") -> BrokeredFile:
        """Hold what is there, opened for reading; see `FileSystemManager.pin`."""
        try:
            value, descriptor = self._host.ask_to_open({"do": "pin", "at": _place(location), "kind": kind})
        except OSError as error:
            raise translated(error, location) from error
        try:
            if descriptor >= 0 and value is None:
                pinned = BrokeredFile(location, descriptor, status_of_handed_over(descriptor))
            elif descriptor < 0 and isinstance(value, list) and len(value) == 2:
                refused, fields = value
                if type(refused) is not int or not refused > 0:
                    raise ValueError("an error has a number")
                pinned = BrokeredFile(location, -1, status_of(fields), refused=refused)
            else:
                raise ValueError("a file was to be handed over")
        except (ValueError, OverflowError) as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise self._host.distrust(ValueError(*error.args)) from error
        try:
            RootAccess.check_kind(pinned.status, location, kind)
        except BaseException:
            pinned.close()
            raise
        return pinned

    def read(self, target: FileLocation | PinnedFile, *, offset: int = 0, max_bytes: int | None = None) -> FileContent:
        """Read a file, or the part of it from `offset` on; see `FileSystemManager.read`."""
        if isinstance(target, FileLocation):
            with self.pin(target, kind="file") as pinned:
                return self.read(pinned, offset=offset, max_bytes=max_bytes)
        location, status = target.location, target.status
        RootAccess.check_kind(status, location, "file")
        most = self.limits.max_read_bytes if max_bytes is None else max(0, min(max_bytes, self.limits.max_read_bytes))
        try:
            descriptor = _opened(target)
            try:
                data, is_truncated = read_at_most(descriptor, offset, most, status.st_size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise translated(error, location) from error
        return FileContent(data, status.st_size, status.st_mtime, offset, is_truncated)

    def write(
        self, location: FileLocation, data: bytes, *, create_only: bool = False, if_match: str | None = None
    ) -> FileStat:
        """Write a whole file: afterwards it is the new one, and until then the old one; see `FileSystemManager`."""
        if len(data) > self.limits.max_write_bytes:
            raise LimitExceededError(
                "max_write_bytes", f"a file may be written with at most {self.limits.max_write_bytes} bytes"
            )
        value = self._ask(location, "write", {"create_only": create_only, "if_match": if_match}, body=data)
        return self._believed(stat_of, value)

    def check_change(self, location: FileLocation, *, whole: bool = True) -> None:
        """Raise where nothing is ever written, by its name or its folder; see `FileSystemManager.check_change`."""
        self._names.check_change(location)
        if whole:
            self._names.check_whole(location)

    def make_directory(self, location: FileLocation, *, parents: bool = True, exist_ok: bool = True) -> bool:
        """Make a directory and return whether it is new; see `FileSystemManager.make_directory`."""
        value = self._ask(location, "make_directory", {"parents": parents, "exist_ok": exist_ok})
        return self._believed(_flag, value)

    def list_directory(
        self, target: FileLocation | PinnedFile, *, offset: int = 0, max_entries: int | None = None
    ) -> DirectoryListing:
        """Return one page of a directory, sorted by name; see `FileSystemManager.list_directory`."""
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
        """Return a bounded walk through what lies below a directory; see `FileSystemManager.walk`."""
        start = target if isinstance(target, FileLocation) else target.location
        limits = replace(
            self.limits,
            max_walk_entries=min(self.limits.max_walk_entries, max_entries or self.limits.max_walk_entries),
            max_depth=min(self.limits.max_depth, max_depth or self.limits.max_depth),
        )
        return TreeWalk(
            opener=BrokeredOpener(host=self._host, root=start.root.index),
            start=start,
            descriptor=self._directory(target),
            limits=limits,
            admit=admit,
        )

    def move(self, source: FileLocation, destination: FileLocation) -> None:
        """Give a file or directory another name; nothing is ever replaced; see `FileSystemManager.move`."""
        self._ask(source, "move", {"to": _place(destination)})

    def delete(self, location: FileLocation, *, recursive: bool = False) -> None:
        """Remove a file, a link itself, or a directory; see `FileSystemManager.delete`."""
        self._ask(location, "delete", {"recursive": recursive})

    def stat(self, target: FileLocation | PinnedFile) -> FileStat:
        """Return what is known without opening it; of a link that it is one."""
        if isinstance(target, PinnedFile):
            return target.stat
        return self._believed(stat_of, self._ask(target, "stat", {}))

    def watch(self, location: FileLocation, watcher: DirectoryWatcher) -> None:
        """Let `watcher` report changes of a file, which need not exist yet; see `FileSystemManager.watch`."""
        with self.pin(location.parent, kind="directory") as directory:
            watcher.watch(directory, location)

    def sweep(self) -> int:
        """Remove half-written files whose writer is gone, in every writable folder, and return how many."""
        return sum(
            self._believed(_count, self._host.ask({"do": "sweep", "root": root.index}))
            for root in self.roots
            if root.writable
        )

    def close(self) -> None:
        """Forget the folders; the broker ends when what it was asked for is done. May be called twice."""
        self.roots = ()
        self._parser = PathParser(())
        self._host.close()

    def _ask(self, location: FileLocation, what: str, more: Mapping[str, Any], *, body: bytes = b"") -> Any:
        try:
            return self._host.ask({"do": what, "at": _place(location), **more}, body=body)
        except OSError as error:
            raise translated(error, location) from error

    def _believed(self, parse: Callable[[Any], T], value: Any) -> T:
        try:
            return parse(value)
        except (ValueError, OverflowError) as error:
            raise self._host.distrust(ValueError(*error.args)) from error

    def _directory(self, target: FileLocation | PinnedFile) -> int:
        """Return a readable descriptor of a directory."""
        if isinstance(target, FileLocation):
            with self.pin(target, kind="directory") as pinned:
                return self._directory(pinned)
        RootAccess.check_kind(target.status, target.location, "directory")
        try:
            # With a position of its own, for several may read the same directory.
            return target.reopen(os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise translated(error, target.location) from error


def _opened(target: PinnedFile) -> int:
    return target.duplicate() if isinstance(target, BrokeredFile) else target.reopen(os.O_RDONLY)


def _place(location: FileLocation) -> list[Any]:
    return [location.root.index, list(location.parts)]


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("a flag is true or false")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MAX_SWEPT:
        raise ValueError("a number of files is whole, and not below zero")
    return value


def _refuse_what_rules_cannot_say(roots: Sequence[Root]) -> None:
    """Raise where a folder that is only read lies in one that is written: rules of Landlock only ever add."""
    for inner in roots:
        for outer in roots:
            if outer.writable and not inner.writable and f"{inner.real_path}/".startswith(f"{outer.real_path}/"):
                raise ConfigurationError(
                    f"the folder {inner.path!r} is only read and lies in {outer.path!r}, which is written; "
                    "'separate_process' cannot keep them apart"
                )


def _job(roots: Sequence[Root], limits: FileLimits, protected: Sequence[str]) -> dict[str, Any]:
    """Return what a broker is told at its start."""
    return {
        "limits": asdict(limits),
        "protected": list(protected),
        "roots": [
            {
                **asdict(root.config),
                "path": root.path,
                "name": root.name,
                "sync": str(root.config.sync),
                "device": root.device,
                "inode": root.inode,
            }
            for root in roots
        ],
    }
