"""Writing a file so that it is the old one or the new one, and never anything between."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
from collections.abc import Callable
from typing import Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.file_stat import FileStat
from mcp_server.resources.filesystem.os_errors import shown, translated
from mcp_server.resources.filesystem.path_parser import TEMPORARY_PREFIX
from mcp_server.resources.filesystem.quota_ledger import QuotaLedger
from mcp_server.resources.filesystem.root_access import RootAccess
from mcp_server.resources.filesystem.sync_level import SyncLevel
from mcp_server.resources.kernel.renameat2 import RENAME_EXCHANGE, RENAME_NOREPLACE, Renameat2

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS: Final = 4
_CHUNK_BYTES: Final = 1024 * 1024

# Never the special bits, whatever the file had and whatever the umask says.
_PERMISSION_BITS: Final = 0o777
_NEW_FILE_MODE: Final = 0o644


def temporary_token() -> str:
    """Return the random part of a temporary name.

    >>> len(temporary_token())
    32
    """
    return os.urandom(16).hex()


class AtomicWriter:
    """Writes into a temporary file of the same directory and renames it into place.

    1. The directory is opened; everything after goes by its descriptor, so that swapping its name changes nothing.
    2. What stands under the name is looked at: links, directories and devices are refused, `if_match` compared.
    3. The quota is reserved.
    4. A file of an unguessable name is created, never an existing one, locked as a sign of life, and written.
    5. It takes the mode and owner of what it replaces, never more than 0777.
    6. It is renamed into place; what fails on the way is removed.

    A file with several names loses only this one: its other names keep the old content.

    Args:
        access: Opens within the roots.
        renameat2: The system call.
        token: Makes the random part of temporary names.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.protected_names import ProtectedNames
    >>> from mcp_server.resources.filesystem.root import Root
    >>> from mcp_server.resources.filesystem.root_config import RootConfig
    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> access = RootAccess(opener=WalkingOpener(), protected=ProtectedNames())
    >>> writer = AtomicWriter(access=access, renameat2=Renameat2())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = FileLocation(Root(RootConfig(folder)), ("a.txt",))
    ...     print(writer.write(place, b"new").size, os.listdir(folder))
    3 ['a.txt']
    """

    __slots__ = ("_access", "_lock", "_renameat2", "_token")

    def __init__(self, *, access: RootAccess, renameat2: Renameat2, token: Callable[[], str] = temporary_token) -> None:
        self._access = access
        self._renameat2 = renameat2
        self._token = token
        # One rename at a time, so that putting back what was changed meanwhile puts back nothing of our own.
        self._lock = threading.Lock()

    def write(
        self,
        location: FileLocation,
        data: bytes,
        *,
        ledger: QuotaLedger | None = None,
        create_only: bool = False,
        if_match: str | None = None,
    ) -> FileStat:
        """Write `data` to `location`; see `FileSystemManager.write`."""
        self._access.check_change(location)
        self._access.check_whole(location)
        directory = self._access.directory(location.parent)
        try:
            existing = _existing(directory, location)
            if existing is None:
                self._access.check_new_name(location)
            elif create_only:
                raise ResourceUnavailableError("exists", f"{shown(location)} exists already")
            if if_match is not None:
                existing = self._matching(directory, location, if_match)
            if ledger is None:
                return self._replace(directory, location, data, existing, create_only, if_match is not None)
            size = len(data) - (existing.st_size if existing is not None else 0)
            files = 1 if existing is None else 0
            ledger.reserve(size=size, files=files)
            try:
                return self._replace(directory, location, data, existing, create_only, if_match is not None)
            except BaseException:
                ledger.release(size=size, files=files)
                raise
        except OSError as error:
            raise translated(error, location) from error
        finally:
            os.close(directory)

    def _matching(self, directory: int, location: FileLocation, wanted: str) -> os.stat_result:
        """Return the status of the file whose content hashes to `wanted`."""
        import hashlib
        import hmac

        changed = f"{shown(location)} has changed since it was read; read it again"
        try:
            handle = self._access.opener.open(directory, (location.name,), os.O_PATH | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise ResourceUnavailableError("changed", changed) from error
        try:
            status = os.fstat(handle)
            # A file with another name outside must not even be compared: the answer would tell of its content.
            self._access.check_kind(status, location, "file")
            with open(f"/proc/self/fd/{handle}", "rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        finally:
            os.close(handle)
        if not hmac.compare_digest(found, wanted.lower()):
            raise ResourceUnavailableError("changed", changed)
        return status

    def _replace(
        self,
        directory: int,
        location: FileLocation,
        data: bytes,
        existing: os.stat_result | None,
        create_only: bool,
        is_conditional: bool,
    ) -> FileStat:
        descriptor, temporary = self._create(directory, is_private=existing is not None)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view[:_CHUNK_BYTES]) :]
            if existing is not None:
                _take_over(descriptor, existing)
            if location.root.config.sync is not SyncLevel.NONE:
                os.fsync(descriptor)
            with self._lock:
                self._rename(directory, temporary, location, create_only, existing if is_conditional else None)
            temporary = ""
            if location.root.config.sync is SyncLevel.FILE_AND_DIRECTORY:
                os.fsync(directory)
            return FileStat.of(os.fstat(descriptor))
        finally:
            if temporary:
                _remove_quietly(directory, temporary)
            os.close(descriptor)

    def _create(self, directory: int, *, is_private: bool) -> tuple[int, str]:
        # What replaces a file is closed to everybody else until it has that file's mode; a new file gets 0644 less the
        # umask, as any program would give it.
        mode = 0o600 if is_private else _NEW_FILE_MODE
        for _ in range(_ATTEMPTS):
            name = f"{TEMPORARY_PREFIX}{self._token()}.tmp"
            try:
                descriptor = os.open(name, _CREATE, mode, dir_fd=directory)
            except FileExistsError:
                # Somebody guessed or planted it. It is left alone.
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_nlink == 1:
                    return descriptor, name
            except OSError as error:
                if error.errno != errno.EWOULDBLOCK:
                    _remove_quietly(directory, name)
                    os.close(descriptor)
                    raise
            # A sweeper took it for a stale one between its creation and its lock.
            os.close(descriptor)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    def _rename(
        self, directory: int, temporary: str, location: FileLocation, create_only: bool, expected: os.stat_result | None
    ) -> None:
        name = location.name
        if create_only:
            self.rename_to_free_name(directory, temporary, directory, name)
        elif expected is None:
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        else:
            self._exchange(directory, temporary, location, expected)

    def _exchange(self, directory: int, temporary: str, location: FileLocation, expected: os.stat_result) -> None:
        """Swap the new file in, look at what came out, and swap back if it is not what was compared.

        Looking first is enough among our own writers; looking afterwards catches all others but one that comes between
        the swap and its undoing.
        """
        name = location.name
        if not _is_same(os.stat(name, dir_fd=directory, follow_symlinks=False), expected):
            raise _changed(location)
        try:
            self._renameat2.rename(directory, temporary, directory, name, flags=RENAME_EXCHANGE)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS):
                raise
            # The file system cannot exchange, which leaves a window of microseconds.
            os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
            return
        try:
            if not _is_same(os.stat(temporary, dir_fd=directory, follow_symlinks=False), expected):
                self._renameat2.rename(directory, temporary, directory, name, flags=RENAME_EXCHANGE)
                raise _changed(location)
            os.unlink(temporary, dir_fd=directory)
        except FileNotFoundError:
            # A sweeper took what came out for a stale file, which it is.
            return

    def rename_to_free_name(self, old_directory: int, old: str, new_directory: int, new: str) -> None:
        """Rename where nothing has the new name yet.

        Raises:
            OSError: `EEXIST` when something has it.
        """
        try:
            self._renameat2.rename(old_directory, old, new_directory, new, flags=RENAME_NOREPLACE)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS):
                raise
            if stat.S_ISDIR(os.stat(old, dir_fd=old_directory, follow_symlinks=False).st_mode):
                # Renaming a directory replaces at most an empty directory, and mkdir makes sure that it is ours.
                os.mkdir(new, 0o700, dir_fd=new_directory)
                os.rename(old, new, src_dir_fd=old_directory, dst_dir_fd=new_directory)
                return
            os.link(old, new, src_dir_fd=old_directory, dst_dir_fd=new_directory, follow_symlinks=False)
            os.unlink(old, dir_fd=old_directory)


def _existing(directory: int, location: FileLocation) -> os.stat_result | None:
    """Return what stands under the name and may be replaced, None for nothing."""
    try:
        status = os.stat(location.name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(status.st_mode):
        return status
    if stat.S_ISDIR(status.st_mode):
        raise ResourceUnavailableError("is_a_directory", f"{shown(location)} is a directory")
    if stat.S_ISLNK(status.st_mode):
        raise SandboxViolationError("symlink", f"{shown(location)} is a symbolic link, and links are not followed")
    raise SandboxViolationError("special", f"{shown(location)} is neither a file nor a directory")


def _take_over(descriptor: int, existing: os.stat_result) -> None:
    """Give the new file the owner and the permission bits of the old one, never more."""
    mode = existing.st_mode & _PERMISSION_BITS
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (existing.st_uid, existing.st_gid):
        try:
            os.fchown(descriptor, existing.st_uid, existing.st_gid)
        except PermissionError:
            try:
                os.fchown(descriptor, -1, existing.st_gid)
            except PermissionError:
                # Another group than before would get the old group's rights.
                mode &= ~0o070
    os.fchmod(descriptor, mode)


def _is_same(found: os.stat_result, expected: os.stat_result) -> bool:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns) == (
        expected.st_dev,
        expected.st_ino,
        expected.st_size,
        expected.st_mtime_ns,
    )


def _changed(location: FileLocation) -> ResourceUnavailableError:
    return ResourceUnavailableError("changed", f"{shown(location)} has changed since it was read; read it again")


def _remove_quietly(directory: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except OSError:
        # It is gone or stays until the next sweep; the error that brought us here says more.
        return
