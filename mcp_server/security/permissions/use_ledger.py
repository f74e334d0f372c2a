"""How often each counted grant was used."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final

from mcp_server.security.permissions.grant_limits import GrantLimits

logger: Final = logging.getLogger(__name__)

_APPENDING: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


class UseLedger:
    """Counts uses, one file a grant and one byte a use.

    A use is a byte appended: the kernel puts the bytes of all servers and threads one behind the other, and the place
    where a byte came to stand is the number of the use. So nobody needs a lock, two servers of one client share one
    count, and a client that starts its server anew finds the count as it was. What cannot be counted is not granted;
    a use may be counted in vain (two came at once for the last), and is never left uncounted.

    Survives the death of the process, not that of the machine.

    Args:
        directory: Where the files are kept, made with mode 0700; None keeps the counts in memory.

    >>> ledger = UseLedger()
    >>> once = GrantLimits("k", max_uses=1)
    >>> ledger.spend([once]), ledger.left(once), ledger.spend([once])
    (True, 0, False)
    """

    def __init__(self, *, directory: Path | None = None) -> None:
        self._directory = directory
        self._lock = Lock()
        self._counts: Counter[str] = Counter()

    def left(self, limits: GrantLimits) -> int:
        """Return how often a grant may still be used; 0 when that cannot be found out."""
        if limits.max_uses is None:
            return 0
        try:
            used = self._used(limits.key)
        except OSError:
            logger.exception("the uses of a grant cannot be counted; it is not granted")
            return 0
        return max(0, limits.max_uses - used)

    def spend(self, wanted: Sequence[GrantLimits]) -> bool:
        """Count one use for each of `wanted`; return whether all of them were left.

        Args:
            wanted: The grants that one call uses, each as often as it uses it.
        """
        needed = Counter(wanted)
        # First looked at, so that a call that asks for too much leaves what there is to the next.
        if any(self.left(limits) < count for limits, count in needed.items()):
            return False
        try:
            # All are counted, even behind one that was not left.
            numbers = [(self._append(limits.key, count), limits.max_uses or 0) for limits, count in needed.items()]
        except OSError:
            logger.exception("the use of a grant cannot be counted; it is not granted")
            return False
        return all(number <= most for number, most in numbers)

    def _used(self, key: str) -> int:
        if self._directory is None:
            return self._counts[key]
        try:
            return (self._directory / key).stat().st_size
        except FileNotFoundError:
            return 0

    def _append(self, key: str, count: int) -> int:
        """Return the number of the last use, which nobody else has."""
        if self._directory is None:
            with self._lock:
                self._counts[key] += count
                return self._counts[key]
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._directory / key, _APPENDING, 0o600)
        try:
            if os.write(descriptor, b"1" * count) != count:
                # Cut short, by a full disk: some of it is counted, none of it granted.
                raise OSError("the file of a grant's uses takes no more")
            return os.lseek(descriptor, 0, os.SEEK_CUR)
        finally:
            os.close(descriptor)
