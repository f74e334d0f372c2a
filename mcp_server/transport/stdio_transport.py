"""The stdio transport: one client, two pipes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import threading
from typing import Final

from mcp_server.protocol.jsonrpc.line_framer import LineFramer
from mcp_server.protocol.mcp_protocol_handler import MCPProtocolHandler
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.transport.base_transport import BaseTransport
from mcp_server.transport.stdio_channel import StdioChannel
from mcp_server.transport.stdio_streams import StdioStreams
from mcp_server.transport.stop_reason import StopReason
from mcp_server.transport.transport_config import TransportConfig

logger = logging.getLogger(__name__)

READ_BYTES: Final = 1 << 16
"""One read. Larger buffers pass the allocator's threshold for fresh pages, which costs more than the read itself."""

DRAIN_SECONDS: Final = 0.25
"""How long the last answers may take to reach a client that still reads."""


class StdioTransport(BaseTransport):
    """Read lines from the client, hand them to the protocol, write its answers; end when the client does.

    The service also ends when the parent process dies, which is not always the same as the end of input: a sibling
    may hold the pipe open.

    Args:
        streams: The private pipe ends.
        handler: The protocol.
        credentials: Who the operator says is at the other end.
        config: Bounds.
    """

    def __init__(
        self,
        *,
        streams: StdioStreams,
        handler: MCPProtocolHandler,
        credentials: Credentials,
        config: TransportConfig,
    ) -> None:
        self._streams = streams
        self._handler = handler
        self._credentials = credentials
        self._config = config
        self._stop_reason: StopReason | None = None
        self._stopped: asyncio.Event | None = None
        self._hurry: asyncio.Event | None = None
        self._is_reading = False
        self._uses_thread = False
        self._resume = threading.Event()
        self._hangup: select.epoll | None = None
        self._abandon: asyncio.TimerHandle | None = None

    async def serve(self) -> StopReason:
        """Serve until the end of input, `stop`, or the death of the parent."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._stopped = asyncio.Event()
        self._hurry = asyncio.Event()
        self._channel = StdioChannel(
            write_fd=self._streams.write_fd,
            credentials=self._credentials,
            max_unsent_bytes=self._config.max_unsent_bytes,
            on_pressure=self._pressure,
        )
        self._framer = LineFramer(max_frame_bytes=self._config.max_message_bytes)
        self._connection = self._handler.open(self._channel)
        parent_fd = self._watch_parent()
        try:
            self._start_reading()
            if self._stop_reason is None:
                await self._stopped.wait()
            self._stop_reading()
            await self._finish()
        finally:
            self._stop_reading()
            self._watch_hangup(is_watched=False)
            self._channel.close()
            if parent_fd is not None:
                loop.remove_reader(parent_fd)
                os.close(parent_fd)
        return self._stop_reason or StopReason.REQUESTED

    def stop(self, reason: StopReason) -> None:
        """Begin to stop; called again, stop without further grace."""
        if self._stop_reason is not None:
            if self._hurry is not None:
                self._hurry.set()
            return
        self._stop_reason = reason
        if self._stopped is not None:
            self._stopped.set()

    async def _finish(self) -> None:
        """Let running calls end within the grace, then end them; and let the last answers out."""
        assert self._hurry is not None
        closing = asyncio.ensure_future(self._handler.close(self._connection, self._config.grace_seconds))
        hurrying = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait({closing, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        if not closing.done():
            await self._handler.close(self._connection, 0.0)
        hurrying.cancel()
        await closing
        await self._channel.drain(DRAIN_SECONDS)

    def _start_reading(self) -> None:
        if self._is_reading:
            return
        self._is_reading = True
        try:
            self._loop.add_reader(self._streams.read_fd, self._readable)
        except (PermissionError, NotImplementedError):
            # What cannot be polled, a thread reads: a regular file (EPERM, `mcp-server serve < requests`), and any pipe
            # on an event loop that watches no descriptor (NotImplementedError, the Proactor loop of Windows).
            self._uses_thread = True
            self._resume.set()
            threading.Thread(target=self._read_in_thread, name="mcp-server-stdin", daemon=True).start()

    def _stop_reading(self) -> None:
        if self._is_reading and not self._uses_thread:
            self._loop.remove_reader(self._streams.read_fd)
        self._is_reading = False

    def _pressure(self, is_pressed: bool) -> None:
        """Do not read while the client does not: it would only make more that cannot be sent."""
        (self._handler.pause if is_pressed else self._handler.resume)(self._connection)
        self._watch_hangup(is_watched=is_pressed)
        if self._uses_thread:
            (self._resume.clear if is_pressed else self._resume.set)()
        elif is_pressed:
            self._stop_reading()
        elif self._stop_reason is None:
            self._start_reading()

    def _watch_hangup(self, *, is_watched: bool) -> None:
        """While nothing is read, see by the kernel's hang-up that the client has closed its end.

        A client that closed its end and takes no answer for the length of the grace is gone; one that goes on reading,
        as the last part of a pipeline does, gets everything.
        """
        if not hasattr(select, "epoll"):
            # Elsewhere such a client is noticed when it reads on, or by the death of the parent.
            return
        if is_watched and self._hangup is None and not self._uses_thread and self._stop_reason is None:
            self._hangup = select.epoll()
            # No event is asked for: hang-up is always told.
            self._hangup.register(self._streams.read_fd, 0)
            self._loop.add_reader(self._hangup.fileno(), self._hung_up)
        elif not is_watched and self._hangup is not None:
            self._loop.remove_reader(self._hangup.fileno())
            self._hangup.close()
            self._hangup = None
            if self._abandon is not None:
                self._abandon.cancel()
                self._abandon = None

    def _hung_up(self) -> None:
        assert self._hangup is not None
        self._loop.remove_reader(self._hangup.fileno())
        self._give_up_unless_taken(self._channel.unsent_bytes)

    def _give_up_unless_taken(self, unsent_bytes: int) -> None:
        """Stop when the client, which has closed its end, takes nothing for the length of the grace."""

        def look() -> None:
            if self._channel.unsent_bytes < unsent_bytes:
                self._give_up_unless_taken(self._channel.unsent_bytes)
            else:
                self.stop(StopReason.END_OF_INPUT)

        self._abandon = self._loop.call_later(self._config.grace_seconds, look)

    def _readable(self) -> None:
        try:
            data = os.read(self._streams.read_fd, READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            logger.debug("the input cannot be read any more: %s", error)
            data = b""
        self._received(data)

    def _received(self, data: bytes) -> None:
        if data:
            self._handler.receive_all(self._connection, self._framer.feed(data))
            return
        self._handler.receive_all(self._connection, self._framer.finish())
        self._stop_reading()
        self.stop(StopReason.END_OF_INPUT)

    def _read_in_thread(self) -> None:
        while self._is_reading:
            self._resume.wait()
            try:
                data = os.read(self._streams.read_fd, READ_BYTES)
            except OSError:
                data = b""
            try:
                asyncio.run_coroutine_threadsafe(self._receive_soon(data), self._loop).result()
            except RuntimeError:
                return
            if not data:
                return

    async def _receive_soon(self, data: bytes) -> None:
        self._received(data)

    def _watch_parent(self) -> int | None:
        """Watch the parent by a descriptor, so that its death is noticed whatever holds the pipe open."""
        parent = os.getppid()
        if parent <= 1 or not hasattr(os, "pidfd_open"):
            # Started by init, as in a container: it does not die before us.
            return None
        with contextlib.suppress(OSError):
            fd = os.pidfd_open(parent)
            if os.getppid() != parent:
                os.close(fd)
                self.stop(StopReason.PARENT_DIED)
                return None
            self._loop.add_reader(fd, self._parent_died, fd)
            return fd
        return None

    def _parent_died(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        # What the parent wrote before it died is read and answered first; then the end of input says the same.
        self._loop.call_later(0.05, self.stop, StopReason.PARENT_DIED)
