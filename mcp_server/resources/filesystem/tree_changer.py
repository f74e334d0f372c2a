"""Making, moving and removing names."""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.atomic_writer import AtomicWriter
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.os_errors import shown, translated
from mcp_server.resources.filesystem.quota_ledger import QuotaLedger
from mcp_server.resources.filesystem.root_access import RootAccess
from mcp_server.resources.filesystem.tree_walk import TreeWalk, directory_names

_NEW_DIRECTORY_MODE: Final = 0o755


class TreeChanger:
    """Changes names by the descriptors of the directories that hold them; follows no link, leaves no mount.

    Args:
        access: Opens within the roots.
        writer: Renames without replacing.
        limits: How large a tree may be that is removed or counted.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.protected_names import ProtectedNames
    >>> from mcp_server.resources.filesystem.root import Root
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> access = RootAccess(opener=WalkingOpener(), protected=ProtectedNames())
    >>> from mcp_server.resources.kernel.renameat2 import Renameat2
    >>> writer = AtomicWriter(access=access, renameat2=Renameat2())
    >>> changer = TreeChanger(access=access, writer=writer, limits=FileLimits())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = FileLocation(Root(RootConfig(folder)), ("a", "b"))
    ...     print(changer.make_directory(place, ledger=None), changer.make_directory(place, ledger=None))
    True False
    """

    __slots__ = ("_access", "_limits", "_writer")

    def __init__(self, *, access: RootAccess, writer: AtomicWriter, limits: FileLimits) -> None:
        self._access = access
        self._writer = writer
        self._limits = limits

    def make_directory(
        self, location: FileLocation, *, ledger: QuotaLedger | None, parents: bool = True, exist_ok: bool = True
    ) -> bool:
        """Make a directory and return whether it is new; see `FileSystemManager.make_directory`."""
        current = self._access.directory(FileLocation(location.root, ()))
        is_new = False
        try:
            for length in range(1, len(location.parts) + 1):
                step = FileLocation(location.root, location.parts[:length])
                is_last = length == len(location.parts)
                try:
                    following, is_new = self._enter_or_make(current, step, ledger, may_make=parents or is_last)
                except OSError as error:
                    raise translated(error, step) from error
                os.close(current)
                current = following
        finally:
            os.close(current)
        if not is_new and not exist_ok:
            raise ResourceUnavailableError("exists", f"{shown(location)} exists already")
        return is_new

    def _enter_or_make(
        self, directory: int, step: FileLocation, ledger: QuotaLedger | None, *, may_make: bool
    ) -> tuple[int, bool]:
        flags = os.O_RDONLY | os.O_DIRECTORY
        cross = step.root.config.cross_mounts
        try:
            return self._access.opener.open(directory, (step.name,), flags, cross_mounts=cross), False
        except FileNotFoundError:
            if not may_make:
                raise
        self._access.check_change(step)
        self._access.check_new_name(step)
        if ledger is not None:
            ledger.reserve(size=0, files=1)
        try:
            os.mkdir(step.name, _NEW_DIRECTORY_MODE, dir_fd=directory)
        except OSError:
            if ledger is not None:
                ledger.release(size=0, files=1)
            raise
        return self._access.opener.open(directory, (step.name,), flags, cross_mounts=cross), True

    def move(
        self,
        source: FileLocation,
        destination: FileLocation,
        *,
        source_ledger: QuotaLedger | None,
        destination_ledger: QuotaLedger | None,
    ) -> None:
        """Give `source` the name `destination`; see `FileSystemManager.move`."""
        for location in (source, destination):
            self._access.check_change(location)
            self._access.check_whole(location)
        self._access.check_new_name(destination)
        if source.root is destination.root and destination.parts[: len(source.parts)] == source.parts:
            raise ResourceUnavailableError("exists", f"{shown(source)} cannot be moved to itself or into itself")
        size, files = 0, 0
        is_counted = source_ledger is not destination_ledger
        if is_counted:
            size, files = self.count(source)
        source_directory = self._access.directory(source.parent)
        try:
            destination_directory = self._access.directory(destination.parent)
            try:
                if is_counted and destination_ledger is not None:
                    destination_ledger.reserve(size=size, files=files)
                try:
                    self._rename(source_directory, source, destination_directory, destination)
                except BaseException:
                    if is_counted and destination_ledger is not None:
                        destination_ledger.release(size=size, files=files)
                    raise
                if is_counted and source_ledger is not None:
                    source_ledger.release(size=size, files=files)
            finally:
                os.close(destination_directory)
        finally:
            os.close(source_directory)

    def _rename(
        self, source_directory: int, source: FileLocation, destination_directory: int, destination: FileLocation
    ) -> None:
        try:
            self._writer.rename_to_free_name(source_directory, source.name, destination_directory, destination.name)
        except FileExistsError as error:
            raise translated(error, destination) from error
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise ResourceUnavailableError(
                    "io", f"{shown(destination)} is on another file system; write the content there instead"
                ) from error
            raise translated(error, source) from error

    def delete(self, location: FileLocation, *, recursive: bool, ledger: QuotaLedger | None) -> None:
        """Remove a name; see `FileSystemManager.delete`."""
        self._access.check_change(location)
        self._access.check_whole(location)
        directory = self._access.directory(location.parent)
        try:
            status = os.stat(location.name, dir_fd=directory, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode):
                os.unlink(location.name, dir_fd=directory)
                size, files = (status.st_size if stat.S_ISREG(status.st_mode) else 0), 1
            elif recursive:
                size, files = self._check_tree(location)
                self._remove_tree(directory, location)
            else:
                os.rmdir(location.name, dir_fd=directory)
                size, files = 0, 1
        except OSError as error:
            raise translated(error, location) from error
        finally:
            os.close(directory)
        if ledger is not None:
            ledger.release(size=size, files=files)

    def _check_tree(self, location: FileLocation) -> tuple[int, int]:
        """Look at the whole tree before the first name goes: too much, too deep or protected means none of it."""
        walk = self._walk(location)
        try:
            for entry in walk:
                if entry.is_cut:
                    raise LimitExceededError(
                        "max_depth",
                        f"{shown(entry.location)} is too deep, unreadable or a mount; nothing was removed",
                    )
                self._access.check_change(entry.location)
            if walk.is_truncated:
                raise LimitExceededError(
                    "max_walk_entries", f"{shown(location)} holds too much to be removed at once; nothing was removed"
                )
        finally:
            walk.close()
        return self.count(location)

    def _remove_tree(self, directory: int, location: FileLocation) -> None:
        descriptor = self._access.opener.open(
            directory,
            (location.name,),
            os.O_RDONLY | os.O_DIRECTORY,
            cross_mounts=location.root.config.cross_mounts,
        )
        try:
            names, _ = directory_names(descriptor, max_entries=self._limits.max_scan_entries, is_complete=True)
            for name, kind in names:
                if kind is FileKind.DIRECTORY:
                    self._remove_tree(descriptor, location.child(name))
                else:
                    os.unlink(name, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        os.rmdir(location.name, dir_fd=directory)

    def count(self, location: FileLocation) -> tuple[int, int]:
        """Return bytes and number of everything at and below `location`.

        Raises:
            LimitExceededError: There is more than can be counted.
        """
        handle = self._access.handle(location)
        try:
            status = os.fstat(handle)
        finally:
            os.close(handle)
        size, files = (status.st_size if stat.S_ISREG(status.st_mode) else 0), 1
        if stat.S_ISDIR(status.st_mode):
            walk = self._walk(location)
            try:
                for entry in walk:
                    files += 1
                    size += walk.size_of(entry)
                if walk.is_truncated:
                    raise LimitExceededError("max_walk_entries", f"{shown(location)} holds too much to be counted")
            finally:
                walk.close()
        return size, files

    def _walk(self, location: FileLocation) -> TreeWalk:
        return TreeWalk(
            opener=self._access.opener,
            start=location,
            descriptor=self._access.directory(location),
            limits=self._limits,
            is_complete=True,
        )
