"""The directory a log lives in, held open."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.file_writer import FileWriter
from mcp_server.security.audit.log_head import LogHead
from mcp_server.security.audit.segment_files import (
    ACKNOWLEDGED_NAME,
    HEAD_NAME,
    KEY_NAME,
    RESERVE_NAME,
    segment_name,
    segment_numbers,
)

KEY_BYTES: Final = 32

# Room for the last record of a log whose disk is full.
_RESERVE_BYTES: Final = 1024 * 1024
_DIRECTORY_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_CLOSED_SEGMENT_MODE: Final = 0o400
_OTHERS: Final = 0o077
# O_NOFOLLOW: a link in place of a file of ours is not ours.
_COMMON: Final = os.O_CLOEXEC | os.O_NOFOLLOW


class LogDirectory:
    """Creates, opens and replaces the files of one log; nobody but the owner may enter.

    Args:
        path: The directory; it is created, with its parents, when it is missing.
        writer: The system calls.

    Raises:
        ConfigurationError: It cannot be created, is no directory, belongs to somebody else or is open to others.

    >>> import tempfile
    >>> directory = LogDirectory(Path(tempfile.mkdtemp()) / "audit")
    >>> directory.segments(), directory.read_head()
    ([], None)
    >>> directory.close()
    """

    def __init__(self, path: Path, *, writer: FileWriter | None = None) -> None:
        self.path = path
        self._writer = writer if writer is not None else FileWriter()
        try:
            path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
            if not path.exists():
                path.mkdir(mode=_DIRECTORY_MODE)
            self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _COMMON)
        except OSError as error:
            raise ConfigurationError(
                f"the audit directory cannot be opened ({error.strerror}); nothing is served without an audit log",
                source=str(path),
            ) from error
        try:
            self._check_owner_and_mode()
        except BaseException:
            self.close()
            raise

    def _check_owner_and_mode(self) -> None:
        found = os.fstat(self.fd)
        if found.st_uid != os.geteuid():
            raise ConfigurationError("the audit directory belongs to another user", source=str(self.path))
        if stat.S_IMODE(found.st_mode) & _OTHERS:
            if os.listdir(self.fd):
                raise ConfigurationError(
                    f"others may enter the audit directory (mode {stat.S_IMODE(found.st_mode):04o}); "
                    f"look through it, then: chmod 700 {self.path}",
                    source=str(self.path),
                )
            os.fchmod(self.fd, _DIRECTORY_MODE)  # it is empty, so nobody can have put anything there

    def segments(self) -> list[int]:
        """Return the numbers of the segments, in order."""
        return segment_numbers(os.listdir(self.fd))

    def create_segment(self, number: int) -> int:
        """Create a segment and return its descriptor; a file of that name must not exist."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | _COMMON
        fd = os.open(segment_name(number), flags, _FILE_MODE, dir_fd=self.fd)
        self._writer.fsync(self.fd)  # the name, too, must survive a power cut
        return fd

    def open_segment(self, number: int) -> int:
        """Open a segment for appending.

        Raises:
            ConfigurationError: It is not a plain file of this user with one name.
        """
        fd = os.open(segment_name(number), os.O_WRONLY | os.O_APPEND | _COMMON, dir_fd=self.fd)
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != os.geteuid():
            os.close(fd)
            raise ConfigurationError(
                "the last segment is not a plain file of this user with a single name", source=str(self.path)
            )
        os.fchmod(fd, _FILE_MODE)
        return fd

    def seal_segment(self, fd: int) -> None:
        """Take the right to write away from a segment that is finished."""
        os.fchmod(fd, _CLOSED_SEGMENT_MODE)

    def set_aside(self, number: int, data: bytes) -> str:
        """Keep the torn end of a segment in a file of its own; return the file's name."""
        attempt = 0
        while True:
            name = f"{number:08d}.torn" if attempt == 0 else f"{number:08d}.{attempt}.torn"
            try:
                fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _COMMON, _FILE_MODE, dir_fd=self.fd)
            except FileExistsError:
                attempt += 1
                continue
            self._fill(fd, data)
            self._writer.fsync(self.fd)
            return name

    def read_head(self) -> LogHead | None:
        """Return what the head file says, None when there is no such file.

        Raises:
            ValueError: It is damaged.
        """
        data = self._read(HEAD_NAME)
        return None if data is None else LogHead.decode(data)

    def write_head(self, head: LogHead) -> None:
        """Replace the head file; a reader sees the old one or the new one, whole, even after a power cut."""
        self._replace(HEAD_NAME, head.encode())

    def load_key(self, random_bytes: Callable[[int], bytes]) -> bytes:
        """Return the key of the argument digests; made on first use, never leaving this directory.

        Raises:
            ConfigurationError: The file is damaged or open to others.
        """
        if (self.path / KEY_NAME).exists():
            return read_key(self.path)
        key = random_bytes(KEY_BYTES)
        self._replace(KEY_NAME, key.hex().encode() + b"\n")
        return key

    def make_reserve(self) -> None:
        """Take room now that `release_reserve` can give back when the disk is full."""
        fd = os.open(RESERVE_NAME, os.O_WRONLY | os.O_CREAT | _COMMON, _FILE_MODE, dir_fd=self.fd)
        try:
            if hasattr(os, "posix_fallocate") and os.fstat(fd).st_size < _RESERVE_BYTES:
                os.posix_fallocate(fd, 0, _RESERVE_BYTES)
        except OSError:
            # A filesystem that cannot reserve, or has no room: the last record may then be lost, the refusal is not.
            pass
        finally:
            os.close(fd)

    def release_reserve(self) -> None:
        """Give the reserved room back."""
        os.unlink(RESERVE_NAME, dir_fd=self.fd)

    def read_acknowledgement(self) -> str | None:
        """Return what an operator wrote about a damaged log, None when nobody did."""
        data = self._read(ACKNOWLEDGED_NAME)
        return None if data is None else data.decode("utf-8", "replace")

    def write_acknowledgement(self, text: str) -> None:
        """Leave a note for the next start."""
        self._replace(ACKNOWLEDGED_NAME, text.encode())

    def remove_acknowledgement(self) -> None:
        """Take the note away once it has been recorded."""
        os.unlink(ACKNOWLEDGED_NAME, dir_fd=self.fd)

    def close(self) -> None:
        """Let go of the directory."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _read(self, name: str) -> bytes | None:
        try:
            fd = os.open(name, os.O_RDONLY | _COMMON, dir_fd=self.fd)
        except FileNotFoundError:
            return None
        try:
            return os.read(fd, 4096)  # the small files are far shorter
        finally:
            os.close(fd)

    def _replace(self, name: str, data: bytes) -> None:
        temporary = name + ".new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _COMMON
        self._fill(os.open(temporary, flags, _FILE_MODE, dir_fd=self.fd), data)
        os.rename(temporary, name, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def _fill(self, fd: int, data: bytes) -> None:
        """Write a small file whole, sync and close it."""
        try:
            remaining = memoryview(data)
            while remaining:
                remaining = remaining[self._writer.write(fd, remaining) :]
            self._writer.fsync(fd)
        finally:
            os.close(fd)


def read_key(directory: Path) -> bytes:
    """Return the key of a log's argument digests, for looking a known value up.

    Raises:
        ConfigurationError: There is none, it is damaged, or others may read it.
    """
    path = directory / KEY_NAME
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            key = bytes.fromhex(file.read(256).decode("ascii").strip())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            "the key of the argument digests cannot be read; with it lost, old digests cannot be looked up. "
            "Remove the file to begin with a new key",
            source=str(path),
        ) from error
    if mode & _OTHERS:
        raise ConfigurationError(f"others may read this key (mode {mode:04o}); chmod 600 it", source=str(path))
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"the key must be {KEY_BYTES} bytes, as hexadecimal digits", source=str(path))
    return key
