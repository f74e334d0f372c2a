"""The sign of life of a staging directory."""

from __future__ import annotations

import fcntl
import os
from typing import Final, Self

LOCK_SUFFIX: Final = ".lock"


class StagingLock:
    """A locked file beside a staging directory: as long as its server lives nobody else can lock it.

    The kernel releases it when the process ends, however it ends. The file is removed under the lock, so whoever
    opened it before finds it without a name and knows that it is too late.

    Args:
        directory: Descriptor of the directory that holds it; has to stay open as long as the lock.
        name: The name of the staging directory.
        descriptor: The open file, locked; belongs to this object from now on.

    >>> import tempfile
    >>> base = os.open(tempfile.mkdtemp(), os.O_RDONLY)
    >>> lock = StagingLock.take(base, "run-1")
    >>> StagingLock.take(base, "run-1") is None
    True
    >>> lock.remove(); os.close(base)
    """

    __slots__ = ("_descriptor", "_directory", "_name")

    def __init__(self, directory: int, name: str, descriptor: int) -> None:
        self._directory = directory
        self._name = name
        self._descriptor = descriptor

    @classmethod
    def take(cls, directory: int, name: str) -> Self | None:
        """Return the lock on `name`, None when somebody alive holds it or has just removed it.

        Raises:
            OSError: The file can be neither made nor opened.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name + LOCK_SUFFIX, flags, 0o600, dir_fd=directory)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink == 1:
                return cls(directory, name, descriptor)
        except BlockingIOError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None

    def remove(self) -> None:
        """Remove the file and let go: the staging directory is gone."""
        if self._descriptor >= 0:
            try:
                os.unlink(self._name + LOCK_SUFFIX, dir_fd=self._directory)
            except FileNotFoundError:
                # An administrator tidied up.
                pass
            finally:
                self.release()

    def release(self) -> None:
        """Let go and leave the file: a sweep will remove the staging directory. May be called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
