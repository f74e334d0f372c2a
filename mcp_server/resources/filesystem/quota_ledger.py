"""How much of its quota a folder has used."""

from __future__ import annotations

import threading

from mcp_server.errors.sandbox_violation_error import SandboxViolationError


class QuotaLedger:
    """Counts bytes and files of one root; what is reserved is counted before it is written.

    The count starts from what is on disk, so a restart forgets nothing.

    Args:
        max_bytes: Most bytes, None for no bound.
        max_files: Most files and directories, None for no bound.
        used_bytes: What is there already.
        used_files: What is there already.

    >>> ledger = QuotaLedger(max_bytes=10, max_files=None, used_bytes=8, used_files=1)
    >>> ledger.reserve(size=2, files=1)
    >>> ledger.reserve(size=1, files=0)
    Traceback (most recent call last):
    ...
    mcp_server.errors.sandbox_violation_error.SandboxViolationError: the folder's quota of 10 bytes is used up
    """

    __slots__ = ("_lock", "_max_bytes", "_max_files", "used_bytes", "used_files")

    def __init__(
        self, *, max_bytes: int | None, max_files: int | None, used_bytes: int = 0, used_files: int = 0
    ) -> None:
        self._max_bytes = max_bytes
        self._max_files = max_files
        self.used_bytes = used_bytes
        self.used_files = used_files
        self._lock = threading.Lock()

    def reserve(self, *, size: int, files: int) -> None:
        """Count what is about to come; negative numbers give back.

        Giving back is always possible, also from a folder that somebody else filled past its quota.

        Raises:
            SandboxViolationError: `quota`; nothing was counted.
        """
        with self._lock:
            if size > 0 and self._max_bytes is not None and self.used_bytes + size > self._max_bytes:
                raise SandboxViolationError("quota", f"the folder's quota of {self._max_bytes} bytes is used up")
            if files > 0 and self._max_files is not None and self.used_files + files > self._max_files:
                raise SandboxViolationError("quota", f"the folder's quota of {self._max_files} files is used up")
            self.used_bytes = max(0, self.used_bytes + size)
            self.used_files = max(0, self.used_files + files)

    def release(self, *, size: int, files: int) -> None:
        """Give back what was reserved or removed."""
        self.reserve(size=-size, files=-files)
