"""Files whose contents only their owner can have written, and where it matters, read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError

_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_OPEN_TO_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
Stamp = tuple[int, int, int, int]


class OwnFile:
    """Read a small file once it is sure whose words they are.

    Whoever can write a file of keys can sign for everybody, and whoever can read a secret one too. So it must be a
    regular file, belong to the user this process acts as or to root, and be writable by its owner only; a secret one
    must be closed to others altogether. What is examined is the opened file, so it cannot be exchanged in between.

    Args:
        path: The file.
        what: What it is, for errors: `the key set`.
        max_bytes: The largest file that is read.
        is_secret: Whether others may not even read it.
        user: The user this process acts as.

    Source: the same rules as sshd(8), "StrictModes" in sshd_config(5).

    >>> OwnFile("/dev/null", what="the key set", max_bytes=10).read()
    Traceback (most recent call last):
    mcp_server.errors.configuration_error.ConfigurationError: /dev/null: the key set is no regular file
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        what: str,
        max_bytes: int,
        is_secret: bool = False,
        user: Callable[[], int] = os.geteuid,
    ) -> None:
        self.path = os.fspath(path)
        self._what = what
        self._max_bytes = max_bytes
        self._is_secret = is_secret
        self._user = user

    def stamp(self) -> Stamp | None:
        """Return what changes when the file does; None when there is no such file, or it cannot be looked at."""
        try:
            found = os.stat(self.path)
        except (OSError, ValueError):
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def read(self) -> bytes:
        """Return what the file holds.

        Raises:
            ConfigurationError: It cannot be read, others could have written it or may read a secret, or it is large.
        """
        try:
            # Not blocking, for a pipe would wait for a writer.
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "the name is not valid"
            raise self._error(f"cannot be read: {reason}") from error
        try:
            self._check(os.fstat(descriptor))
            data = b""
            while len(data) <= self._max_bytes and (part := os.read(descriptor, self._max_bytes + 1 - len(data))):
                data += part
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from error
        finally:
            os.close(descriptor)
        if len(data) > self._max_bytes:
            raise self._error(f"is larger than {self._max_bytes} bytes")
        return data

    def _check(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise self._error("is no regular file")
        user = self._user()
        if status.st_uid not in (user, 0):
            raise self._error(
                f"belongs to user {status.st_uid}; it must belong to root or to user {user}, who runs this (chown)"
            )
        if self._is_secret and status.st_mode & _OPEN_TO_OTHERS:
            raise self._error("may be read by others than its owner, so it is no secret any more; replace it")
        if status.st_mode & _WRITABLE_BY_OTHERS:
            raise self._error("can be written by others than its owner, who could sign for everybody; run: chmod go-w")

    def _error(self, message: str) -> ConfigurationError:
        return ConfigurationError(f"{self._what} {message}", source=self.path)
