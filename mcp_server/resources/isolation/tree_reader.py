"""Reading files of a tree that somebody hostile may be changing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.isolation.entry_kind import EntryKind

_HANDLE: Final = os.O_PATH | os.O_NOFOLLOW
# A lease would let its holder keep us waiting for 45 seconds (`/proc/sys/fs/lease-break-time`); not with O_NONBLOCK.
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_CHUNK_BYTES: Final = 1024 * 1024
_REASONS: Final = {EntryKind.SYMLINK: "symlink", EntryKind.HARD_LINK: "hardlink"}


class TreeReader:
    """Reads regular files below an open directory; the inode that was looked at is the one that is read.

    Follows no link, crosses no mount, opens no pipe and no device, and takes no file that has a second name or a
    setuid bit. Not thread-safe.

    Args:
        directory: Descriptor of the tree; stays with whoever made it.
        opener: Opens within the tree.

    >>> import tempfile
    >>> from mcp_server.resources.filesystem.walking_opener import WalkingOpener
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open(os.path.join(folder, "a"), "wb") as stream:
    ...         _ = stream.write(b"hello")
    ...     directory = os.open(folder, os.O_RDONLY)
    ...     print(TreeReader(directory, opener=WalkingOpener()).read("a", max_bytes=10))
    ...     os.close(directory)
    b'hello'
    """

    __slots__ = ("_directory", "_opener")

    def __init__(self, directory: int, *, opener: PathOpener) -> None:
        self._directory = directory
        self._opener = opener

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """Return the content of the file `path`.

        Args:
            path: Names joined by `/`.
            max_bytes: Largest file accepted.

        Raises:
            SandboxViolationError: `symlink`, `hardlink` or `special`: it is no plain file.
            LimitExceededError: It is larger.
            ResourceUnavailableError: `changed`: somebody changed it while it was read.
            OSError: It cannot be opened or read.
        """
        chunks: list[bytes] = []
        self._feed(path, max_bytes, chunks.append)
        return b"".join(chunks)

    def digest(self, path: str, *, max_bytes: int) -> str:
        """Return the SHA-256 of the content, hexadecimal; otherwise as `read`."""
        digest = hashlib.sha256()
        self._feed(path, max_bytes, digest.update)
        return digest.hexdigest()

    def _feed(self, path: str, max_bytes: int, take: Callable[[bytes], object]) -> None:
        with self._opened(path, max_bytes) as (descriptor, before):
            received = 0
            while data := os.read(descriptor, min(_CHUNK_BYTES, before.st_size + 1 - received)):
                received += len(data)
                if received > before.st_size:
                    break
                take(data)
            after = os.fstat(descriptor)
            if (received, after.st_mtime_ns, after.st_ctime_ns) != (
                before.st_size,
                before.st_mtime_ns,
                before.st_ctime_ns,
            ):
                raise ResourceUnavailableError("changed", "a file was changed while it was read")

    @contextmanager
    def _opened(self, path: str, max_bytes: int) -> Iterator[tuple[int, os.stat_result]]:
        handle = self._opener.open(self._directory, path.split("/"), _HANDLE)
        try:
            # Looking wakes no device and waits for no pipe; what is read below is this very inode.
            status = os.fstat(handle)
            kind = EntryKind.of(status)
            if kind is not EntryKind.FILE:
                raise SandboxViolationError(_REASONS.get(kind, "special"), f"not a plain file but: {kind}")
            if status.st_size > max_bytes:
                raise LimitExceededError("max_bytes", f"the file is larger than {max_bytes} bytes")
            descriptor = os.open(f"/proc/self/fd/{handle}", _READ)
            try:
                yield descriptor, status
            finally:
                os.close(descriptor)
        finally:
            os.close(handle)
