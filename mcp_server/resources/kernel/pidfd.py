"""A descriptor that stands for a process, whose number may be given to another."""

from __future__ import annotations

import os
import select
import signal
from types import TracebackType
from typing import Self


class PidFd:
    """`pidfd_open(2)` and `pidfd_send_signal(2)`; a thin door without any policy.

    Args:
        fd: A descriptor of a process; closed with this object.

    Source: pidfd_open(2), Linux 5.3.

    >>> with PidFd.open(os.getpid()) as process:
    ...     process.send_signal(0)
    ...     process.has_ended()
    False
    """

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def open(cls, pid: int) -> Self:
        """Return a descriptor, closed on exec, of the process with that number.

        The number is certain only for a child that has not been waited for.

        Raises:
            OSError: There is no such process, or the kernel has no such call (`ENOSYS`).
        """
        return cls(os.pidfd_open(pid))

    def fileno(self) -> int:
        """Return the descriptor, which becomes readable when the process has ended."""
        return self.fd

    def send_signal(self, number: int) -> None:
        """Send a signal; 0 only looks whether one could be sent.

        Raises:
            OSError: The process has ended and was waited for (`ESRCH`), or is not ours to signal (`EPERM`).
        """
        signal.pidfd_send_signal(self.fd, number)

    def has_ended(self) -> bool:
        """Return whether the process has ended, waited for or not; does not wait."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Close the descriptor; may be called twice."""
        descriptor, self.fd = self.fd, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
