"""The writing end of a stdio connection."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import Callable
from typing import Final

from mcp_server.security.authentication.credentials import Credentials

logger = logging.getLogger(__name__)

JOIN_BYTES: Final = 1 << 16
"""Up to here answers are copied into one buffer; longer ones are handed to the kernel as they are."""


class StdioChannel:
    """Write messages as lines, many in one system call, and never wait for a client that does not read.

    Messages that are sent between `hold` and `release`, or in one turn of the event loop, are written together.

    Args:
        write_fd: The pipe to the client.
        credentials: Who the operator says is at the other end.
        max_unsent_bytes: When more than this is unwritten, `on_pressure(True)` is called, and `on_pressure(False)`
            when it has been written.
        on_pressure: Stops and resumes reading.
    """

    def __init__(
        self,
        *,
        write_fd: int,
        credentials: Credentials,
        max_unsent_bytes: int,
        on_pressure: Callable[[bool], None],
    ) -> None:
        self._fd = self._nonblocking(write_fd)
        self._owns_fd = self._fd != write_fd
        self.credentials = credentials
        self._max_unsent_bytes = max_unsent_bytes
        self._on_pressure = on_pressure
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes | memoryview] = []
        self._unsent_bytes = 0
        self._is_scheduled = False
        self._held = 0
        self._is_waiting = False
        self._is_pressed = False
        self._is_broken = False
        self._drained: asyncio.Future[None] | None = None

    @property
    def unsent_bytes(self) -> int:
        """How much waits for the client to read."""
        return self._unsent_bytes

    def send(self, message: bytes) -> None:
        """Queue one message for the end of this turn of the loop."""
        if self._is_broken:
            return
        self._unsent += (message, b"\n")
        self._unsent_bytes += len(message) + 1
        if not self._held and not self._is_scheduled and not self._is_waiting:
            self._is_scheduled = True
            self._loop.call_soon(self._flush)
        if self._unsent_bytes > self._max_unsent_bytes and not self._is_pressed:
            self._is_pressed = True
            self._on_pressure(True)

    def hold(self) -> None:
        """Keep what is sent until `release`, so that it goes out in one system call."""
        self._held += 1

    def release(self) -> None:
        """Write what was held, at once: waiting for the end of the turn would cost another turn."""
        self._held -= 1
        if self._unsent and not self._held and not self._is_scheduled and not self._is_waiting:
            self._flush()

    async def drain(self, timeout_seconds: float) -> None:
        """Return when everything sent has reached the kernel, or never will, or the time is up."""
        if self._unsent and not self._is_broken:
            self._drained = self._loop.create_future()
            await asyncio.wait([self._drained], timeout=timeout_seconds)

    def close(self) -> None:
        """Stop writing; what is unwritten is lost."""
        if self._is_waiting:
            self._loop.remove_writer(self._fd)
            self._is_waiting = False
        self._is_broken = True
        self._unsent.clear()
        if self._owns_fd:
            os.close(self._fd)
            self._owns_fd = False

    def _flush(self) -> None:
        self._is_scheduled = False
        try:
            while self._unsent:
                if self._unsent_bytes <= JOIN_BYTES:
                    data = b"".join(self._unsent)
                    self._unsent = [data]
                    count = os.write(self._fd, data)
                else:
                    # A list of buffers has a limit of the kernel's, 1,024 on Linux.
                    count = os.writev(self._fd, self._unsent[:1024])
                self._written(count)
        except BlockingIOError:
            if not self._is_waiting:
                self._is_waiting = True
                self._loop.add_writer(self._fd, self._flush)
            return
        except OSError as error:
            # The client has closed its end; reading finds out too and ends the service.
            logger.debug("the client does not read any more: %s", error)
            self._is_broken = True
            self._unsent.clear()
            self._unsent_bytes = 0
        if self._is_waiting:
            self._is_waiting = False
            self._loop.remove_writer(self._fd)
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if self._is_pressed:
            self._is_pressed = False
            self._on_pressure(False)

    def _written(self, count: int) -> None:
        self._unsent_bytes -= count
        if not self._unsent_bytes:
            # Nearly always: there is room in the pipe.
            self._unsent.clear()
            return
        done = 0
        for each in self._unsent:
            if count < len(each):
                break
            count -= len(each)
            done += 1
        del self._unsent[:done]
        if count:
            # A view: what is left of a large message is not copied at every part of it that is taken.
            self._unsent[0] = memoryview(self._unsent[0])[count:]

    @staticmethod
    def _nonblocking(fd: int) -> int:
        """Return a descriptor of the same pipe that does not block, without changing the one others may share."""
        mode = os.fstat(fd).st_mode
        if stat.S_ISREG(mode):
            # A file never keeps a writer waiting, and opened anew it would have a position of its own.
            return fd
        try:
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            # A socket cannot be opened anew, and not every system has /proc.
            os.set_blocking(fd, False)
            return fd
