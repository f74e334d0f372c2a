"""Reading a policy file that nobody else can have written."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError

# Thousands of rules; more is not a policy that somebody has read.
MAX_POLICY_BYTES: Final = 1024 * 1024
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def effective_user() -> int | None:
    """Return the user this process acts as, None on a system without such numbers."""
    return os.geteuid() if hasattr(os, "geteuid") else None


class PolicyFileReader:
    """Read a file once it is sure whose words they are.

    Whoever can write the policy has every right it can grant. So the file must be a regular one, belong to the user
    this process acts as or to root, and be writable by its owner only; and its directory must not let others replace
    it. What is examined is the opened file, so it cannot be exchanged in between.

    Args:
        fstat: Examines an open descriptor.
        stat_path: Examines the directory.
        user: Returns the user this process acts as; None turns the questions of ownership off.

    Source: the same rules as sshd(8), "StrictModes" in sshd_config(5).

    >>> PolicyFileReader().read("/dev/null")
    Traceback (most recent call last):
    mcp_server.errors.configuration_error.ConfigurationError: /dev/null: is no regular file
    """

    def __init__(
        self,
        *,
        fstat: Callable[[int], os.stat_result] = os.fstat,
        stat_path: Callable[[str], os.stat_result] = os.stat,
        user: Callable[[], int | None] = effective_user,
    ) -> None:
        self._fstat = fstat
        self._stat_path = stat_path
        self._user = user

    def read(self, path: str | os.PathLike[str]) -> str:
        """Return the file's text.

        Raises:
            ConfigurationError: It cannot be read, others could have written it, or it is no text of a sane size.
        """
        source = os.fspath(path)
        try:
            # Not blocking, for a pipe would wait for a writer.
            descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "the name is not valid"
            raise ConfigurationError(f"the policy cannot be read: {reason}", source=source) from error
        try:
            self._check(source, self._fstat(descriptor))
            data = self._read_all(descriptor)
        except OSError as error:
            raise ConfigurationError(f"the policy cannot be read: {error.strerror}", source=source) from error
        finally:
            os.close(descriptor)
        if len(data) > MAX_POLICY_BYTES:
            raise ConfigurationError(f"is larger than {MAX_POLICY_BYTES} bytes", source=source)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ConfigurationError("is not UTF-8 text", source=source, line=line) from error

    def _check(self, source: str, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise ConfigurationError("is no regular file", source=source)
        if status.st_size > MAX_POLICY_BYTES:
            raise ConfigurationError(f"is larger than {MAX_POLICY_BYTES} bytes", source=source)
        user = self._user()
        if user is None:
            return
        if status.st_uid not in (user, 0):
            raise ConfigurationError(
                f"belongs to user {status.st_uid}, who could change it; "
                f"it must belong to root or to user {user}, who runs this (chown)",
                source=source,
            )
        if status.st_mode & _WRITABLE_BY_OTHERS:
            raise ConfigurationError(
                "can be written by others than its owner, who could grant themselves anything; run: chmod go-w",
                source=source,
            )
        directory = self._stat_path(os.path.dirname(os.path.realpath(source)))
        if directory.st_mode & stat.S_IWOTH and not directory.st_mode & stat.S_ISVTX:
            raise ConfigurationError(
                "lies in a directory where everybody could replace it; run: chmod o-w on the directory", source=source
            )

    def _read_all(self, descriptor: int) -> bytes:
        parts: list[bytes] = []
        left = MAX_POLICY_BYTES + 1
        while left > 0:
            part = os.read(descriptor, left)
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
