"""What the relay of one sandbox hands over."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Final

logger = logging.getLogger(__name__)

MAX_OPEN: Final = 64
"""Connections of one run at once, those that are being refused among them; while there are so many, others wait."""

MAX_IN_ALL: Final = 4096
"""Connections of one run, from first to last: a run that needs more is knocking, not working."""

_MAX_DESCRIPTORS: Final = 4
"""Room for descriptors in one message. It holds one; what holds more is not the relay's."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RelayedConnections:
    """Take the connections of one run, have each served by a task of its own, and end all of them with the run.

    What comes is looked at before it is used: one socket, of TCP, connected on loopback. Anything else is closed, and
    nothing more is taken, for it does not come from the relay.

    Args:
        channel: The socket to the relay; it stays the caller's.
        serve: Serves one connection to its end.
        max_open: Connections at once.
        max_in_all: Connections from first to last.
    """

    def __init__(
        self, *, channel: socket.socket, serve: Serve, max_open: int = MAX_OPEN, max_in_all: int = MAX_IN_ALL
    ) -> None:
        self._channel = channel
        self._channel.setblocking(False)
        self._serve = serve
        self._max_open = max_open
        self._left = max_in_all
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_reading = False

    def begin(self) -> None:
        """Take connections from now on."""
        if not self._is_reading and self._left > 0 and len(self._tasks) < self._max_open:
            asyncio.get_running_loop().add_reader(self._channel.fileno(), self._take)
            self._is_reading = True

    def end(self) -> None:
        """Take no more, and begin to close what is open."""
        self._left = 0
        self._pause()
        for task in self._tasks:
            task.cancel()

    async def ended(self) -> None:
        """Return when nothing is open any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _pause(self) -> None:
        if self._is_reading:
            asyncio.get_running_loop().remove_reader(self._channel.fileno())
            self._is_reading = False

    def _take(self) -> None:
        try:
            flags = socket.MSG_CMSG_CLOEXEC
            message, descriptors, told, _ = socket.recv_fds(self._channel, 1, _MAX_DESCRIPTORS, flags)
        except BlockingIOError:
            return
        except OSError:
            message, descriptors, told = b"", [], 0
        if not message or len(descriptors) != 1 or told & socket.MSG_CTRUNC:
            # The relay has ended, or this is not it.
            for descriptor in descriptors:
                os.close(descriptor)
            self._left = 0
            self._pause()
            return
        self._left -= 1
        connection = _connected(descriptors[0])
        if connection is not None:
            task = asyncio.get_running_loop().create_task(self._serve_one(connection), name="mcp-server-connection")
            self._tasks.add(task)
            task.add_done_callback(self._forget)
        if not self._left or len(self._tasks) >= self._max_open:
            self._pause()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.begin()

    async def _serve_one(self, connection: socket.socket) -> None:
        try:
            reader, writer = await asyncio.open_connection(sock=connection)
        except BaseException:
            connection.close()
            raise
        try:
            await self._serve(reader, writer)
            # What was written last may still be on its way.
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        except Exception:
            logger.exception("a connection of a sandbox could not be served")
        finally:
            writer.transport.abort()


def _connected(descriptor: int) -> socket.socket | None:
    """Return the socket of a descriptor when it is one that the relay accepted."""
    try:
        connection = socket.socket(fileno=descriptor)
    except OSError:
        os.close(descriptor)
        return None
    try:
        is_ours = connection.family == socket.AF_INET and connection.type == socket.SOCK_STREAM
        if is_ours and connection.getpeername()[0] == "127.0.0.1":
            connection.setblocking(False)
            return connection
    except OSError:
        # Whoever connected has left.
        pass
    connection.close()
    return None
