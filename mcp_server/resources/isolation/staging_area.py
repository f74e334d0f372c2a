"""The private directory that sandboxed code works in, instead of the client's folder."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from types import MappingProxyType, TracebackType
from typing import Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.atomic_writer import temporary_token
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem_manager import choose_opener
from mcp_server.resources.isolation.copy_report import CopyReport
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.path_predicate import PathPredicate
from mcp_server.resources.isolation.snapshot_entry import SnapshotEntry
from mcp_server.resources.isolation.staging_limits import StagingLimits
from mcp_server.resources.isolation.staging_lock import LOCK_SUFFIX, StagingLock
from mcp_server.resources.isolation.tree_committer import TreeCommitter
from mcp_server.resources.isolation.tree_copier import TreeCopier
from mcp_server.resources.isolation.tree_reader import TreeReader
from mcp_server.resources.isolation.tree_remover import TreeRemover
from mcp_server.resources.isolation.tree_snapshot import TreeSnapshot

_PREFIX: Final = "run-"
_NAME: Final = re.compile(r"run-[0-9a-f]{32}", re.ASCII)
_MODE: Final = 0o700
_ATTEMPTS: Final = 4
# So many names of the base are looked at by one sweep; the next one finds what is left.
_MAX_SWEPT: Final = 100_000
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class StagingArea:
    """A staging directory for one run: copied in what may be read, taken back what may be written.

    The sandbox gets this directory as its writable tree and nothing of the client's folder. So what the client may
    not read is not there, what it may not write does not come back, and nothing at all has happened to the folder until
    `commit`, which can wait until somebody has looked at the effects.

    Everything in the directory is hostile once code has run in it, and may be changing still while it is looked at.
    All reading goes through descriptors; nothing is trusted but what a descriptor says after it was opened.

    Blocking, and to be used by one thread at a time. End it with `discard`, or leave a `with` block; what a crash
    leaves behind is removed by `sweep`.

    Args:
        base: A directory of the server's state, by descriptor or path: its own, and closed to all others but for
            passing through (0700 or 0711).
        owner: User and group that get everything in it, for a server that runs as root and drops to that account.
        limits: How much is copied, and looked at afterwards.
        opener: How paths are opened; chosen by what the kernel has unless given.
        token: Makes the random part of the name.

    Raises:
        ConfigurationError: The base is not such a directory, or what is in it cannot be given to that owner.
        ResourceUnavailableError: `full` or `io`: no directory can be made there now.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem_manager import FileSystemManager
    >>> everything = lambda absolute, relative: True
    >>> with tempfile.TemporaryDirectory() as base, tempfile.TemporaryDirectory() as folder:
    ...     manager = FileSystemManager(roots=[RootConfig(folder)])
    ...     _ = manager.write(manager.locate("a.txt"), b"old")
    ...     with StagingArea(base) as area:
    ...         _ = area.copy_in(manager, may_read=everything)
    ...         with open(os.path.join(area.path, "a.txt"), "w") as stream:
    ...             _ = stream.write("new")
    ...         print(area.commit(manager, everything, everything).counts["changed"])
    ...     print(manager.read(manager.locate("a.txt")).data, os.listdir(base))
    ...     manager.close()
    1
    b'new' []
    """

    __slots__ = ("_base", "_copied", "_lock", "_name", "_opener", "_owner", "_tree", "limits")

    def __init__(
        self,
        base: int | str | os.PathLike[str],
        *,
        owner: tuple[int, int] | None = None,
        limits: StagingLimits | None = None,
        opener: PathOpener | None = None,
        token: Callable[[], str] = temporary_token,
    ) -> None:
        self.limits: Final = limits if limits is not None else StagingLimits()
        self._opener = opener if opener is not None else choose_opener()
        self._owner = owner
        self._copied: dict[str, SnapshotEntry] = {}
        self._tree = -1
        self._lock: StagingLock | None = None
        self._base = _opened_base(base)
        try:
            self._name, self._lock = self._made(token)
            self._tree = os.open(self._name, _DIRECTORY, dir_fd=self._base)
            if owner is not None:
                os.fchown(self._tree, *owner)
            os.fchmod(self._tree, _MODE)
        except OSError as error:
            self.discard()
            if isinstance(error, PermissionError):
                raise ConfigurationError("this account may not make a staging directory for that owner") from error
            reason = "full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "io"
            raise ResourceUnavailableError(reason, "no staging directory can be made now") from error

    @property
    def path(self) -> str:
        """The absolute path of the directory, as the kernel knows it now."""
        return os.readlink(f"/proc/self/fd/{self.fileno()}")

    def fileno(self) -> int:
        """Return a descriptor of the directory; stays with this object.

        Raises:
            ResourceUnavailableError: `missing`: it was discarded.
        """
        if self._tree < 0:
            raise ResourceUnavailableError("missing", "the staging directory of this run is gone")
        return self._tree

    def copy_in(
        self,
        manager: ClientFiles,
        names: Iterable[str | FileLocation] | None = None,
        *,
        may_read: PathPredicate,
        may_list: PathPredicate | None = None,
        substitutes: Mapping[str, Callable[[bytes], bytes]] | None = None,
    ) -> CopyReport:
        """Copy from the client's first folder what it may read; to be called before anything runs.

        Args:
            manager: The client's files; its checks of links, devices, second names and mounts hold.
            names: Files and directories, as the client names them; None for the whole folder.
            may_read: Whether a file, absolute and relative to the folder, may be read.
            may_list: Whether a directory is made even when nothing in it was copied; as `may_read` unless given.
            substitutes: Files, by their path relative to the folder, of which not the content is copied, but what the
                function makes of it.

        Returns:
            How much was copied, and how much was skipped for which reason.

        Raises:
            ConfigurationError: The staging directory lies in the client's folder.
            ResourceUnavailableError: `full` or `io`: the staging directory cannot be written.
        """
        return self._copier(manager, substitutes).copy(
            manager, names, may_read=may_read, may_list=may_list if may_list is not None else may_read
        )

    def make_directories(self, manager: ClientFiles, locations: Iterable[FileLocation]) -> None:
        """Make directories of the client's first folder, empty, with those above them; what is none there is left out.

        Raises:
            ConfigurationError: The staging directory lies in the client's folder.
            ResourceUnavailableError: `full` or `io`: the staging directory cannot be written.
        """
        copier = self._copier(manager)
        for location in locations:
            copier.make_directory(manager, location)

    def effects(self) -> EffectLedger:
        """Return how the directory differs from what was copied in; knows nothing yet of what may be written.

        Links, special files, second names, setuid bits and what is closed, too deep or too much are refused already.
        """
        descriptor = self.fileno()
        # Code may have closed its own directory.
        os.fchmod(descriptor, _MODE)
        # What was copied in takes nothing from what may be added.
        limits = replace(self.limits, max_files=self.limits.max_files + len(self._copied))
        snapshot = TreeSnapshot.take(descriptor, opener=self._opener, limits=limits)
        return snapshot.effects_since(
            TreeSnapshot(MappingProxyType(self._copied)), reader=self._reader(), limits=self.limits
        )

    def preview(self, manager: ClientFiles, may_write: PathPredicate, may_delete: PathPredicate) -> EffectLedger:
        """Return what `commit` would do now, as far as that can be known before; changes nothing.

        This is what a person is shown, and what is handed to `commit` as approved.
        """
        return self._committer(manager, may_write, may_delete).planned(self.effects())

    def commit(
        self,
        manager: ClientFiles,
        may_write: PathPredicate,
        may_delete: PathPredicate,
        *,
        approved: EffectLedger | None = None,
    ) -> EffectLedger:
        """Take back what the run did, as far as it is allowed, and return what was done and what was refused.

        A new file is written where nothing has its name, a changed one where the folder still holds what was copied in,
        a removed one goes where it is still the same; in all other cases the folder stays as it is. Protected names,
        quotas and links in the folder are looked after by `manager`. Modes do not come back: a new file is not
        executable, and a changed one keeps the mode it has in the folder.

        Args:
            manager: The client's files.
            may_write: Whether a file or directory, absolute and relative to the folder, may be made or written.
            may_delete: Whether it may be removed.
            approved: From `preview`: only exactly this is done, content included. None where nobody had to be asked.

        Raises:
            OSError: The staging directory cannot be read at all; nothing was done.
        """
        committer = self._committer(manager, may_write, may_delete)
        return committer.carry_out(committer.planned(self.effects(), approved=approved))

    def discard(self) -> bool:
        """Remove the directory and return whether all of it is gone; what is left is for a sweep. May be called twice.

        Every process that could still write there should be dead, or it may leave something behind.
        """
        lock, self._lock = self._lock, None
        descriptor, self._tree = self._tree, -1
        base, self._base = self._base, -1
        if descriptor >= 0:
            os.close(descriptor)
        is_gone = True
        if lock is not None:
            is_gone = _remove(base, self._name, lock, self._opener)
        if base >= 0:
            os.close(base)
        return is_gone

    @classmethod
    def sweep(cls, base: int | str | os.PathLike[str], *, opener: PathOpener | None = None) -> int:
        """Remove the staging directories of servers that are not alive any more, and return how many.

        Raises:
            ConfigurationError: The base is no directory of ours.
        """
        opener = opener if opener is not None else choose_opener()
        descriptor = _opened_base(base)
        try:
            with os.scandir(descriptor) as entries:
                found = {entry.name.removesuffix(LOCK_SUFFIX) for entry in islice(entries, _MAX_SWEPT)}
            count = 0
            for name in sorted(filter(_NAME.fullmatch, found)):
                lock = StagingLock.take(descriptor, name)
                if lock is not None:
                    count += _remove(descriptor, name, lock, opener)
            return count
        finally:
            os.close(descriptor)

    def _made(self, token: Callable[[], str]) -> tuple[str, StagingLock]:
        for _ in range(_ATTEMPTS):
            name = f"{_PREFIX}{token()}"
            # The lock first: a directory without one has been left behind.
            lock = StagingLock.take(self._base, name)
            if lock is None:
                continue
            try:
                os.mkdir(name, _MODE, dir_fd=self._base)
            except FileExistsError:
                lock.release()
                continue
            except OSError:
                lock.remove()
                raise
            return name, lock
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    def _copier(
        self, manager: ClientFiles, substitutes: Mapping[str, Callable[[bytes], bytes]] | None = None
    ) -> TreeCopier:
        descriptor = self.fileno()
        for root in manager.roots:
            root.refuse_overlap([self.path])
        return TreeCopier(
            descriptor,
            opener=self._opener,
            limits=self.limits,
            owner=self._owner,
            copied=self._copied,
            substitutes=substitutes,
        )

    def _reader(self) -> TreeReader:
        return TreeReader(self.fileno(), opener=self._opener)

    def _committer(self, manager: ClientFiles, may_write: PathPredicate, may_delete: PathPredicate) -> TreeCommitter:
        return TreeCommitter(
            manager=manager,
            reader=self._reader(),
            copied=self._copied,
            may_write=may_write,
            may_delete=may_delete,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def __del__(self) -> None:
        # Forgotten, not ended: the directory stays for a sweep, the descriptors do not.
        lock, tree, base = (getattr(self, name, None) for name in ("_lock", "_tree", "_base"))
        if isinstance(lock, StagingLock):
            lock.release()
        for descriptor in (tree, base):
            if isinstance(descriptor, int) and descriptor >= 0:
                os.close(descriptor)


def _remove(base: int, name: str, lock: StagingLock, opener: PathOpener) -> bool:
    is_gone = TreeRemover(opener=opener).remove(base, name)
    if is_gone:
        lock.remove()
    else:
        lock.release()
    return is_gone


def _opened_base(base: int | str | os.PathLike[str]) -> int:
    """Return a descriptor of the base, which has to be ours alone: whoever can rename there could swap what we made."""
    try:
        descriptor = os.dup(base) if isinstance(base, int) else os.open(base, _DIRECTORY)
    except OSError as error:
        raise ConfigurationError(f"the directory for staging cannot be opened: {error.strerror}") from error
    status = os.fstat(descriptor)
    others = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & others:
        os.close(descriptor)
        raise ConfigurationError(
            "the directory for staging belongs to another account or is open to others (chmod 700)"
        )
    return descriptor
