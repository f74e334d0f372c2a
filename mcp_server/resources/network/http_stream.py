"""What the HTTP library reads and writes."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from httpcore2 import AsyncNetworkStream, ReadError, WriteError

from mcp_server.errors.limit_exceeded_error import LimitExceededError


class HttpStream(AsyncNetworkStream):
    """A connection that exists already, with a bound on what may come from it.

    The library cannot make another one through it, and does not ask for TLS: whoever connected has seen to that.

    Args:
        reader: The connection's reading end.
        writer: Its writing end.
        allowance: Bytes that may still be received.
        limit: The limit that is named when there are more.

    >>> async def use():
    ...     reader = asyncio.StreamReader()
    ...     reader.feed_data(b"abc")
    ...     stream = HttpStream(reader, None, allowance=2, limit="max_header_bytes")
    ...     return await stream.read(100)
    >>> asyncio.run(use())
    b'ab'
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, allowance: int, limit: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._allowance = allowance
        self._limit = limit

    def allow(self, allowance: int, limit: str) -> None:
        """Set anew how many bytes may still be received."""
        self._allowance = allowance
        self._limit = limit

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the base class's
        """Return what has come; the request's own deadline bounds the waiting."""
        if self._allowance <= 0:
            raise LimitExceededError(self._limit, "the answer is larger than it may be; ask for less")
        try:
            data = await self._reader.read(min(max_bytes, self._allowance))
        except OSError as error:
            raise ReadError(str(error)) from error
        self._allowance -= len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the base class's
        """Send bytes, as fast as the other end takes them."""
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as error:
            raise WriteError(str(error)) from error

    async def aclose(self) -> None:
        """Close the connection at once; there is nothing left to say."""
        self._writer.transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's
    ) -> AsyncNetworkStream:
        """Refuse: TLS was begun, with the checks that belong to it, before there was a stream."""
        raise NotImplementedError("a connection has its TLS before it becomes a stream")

    def get_extra_info(self, info: str) -> Any:
        """Return nothing: the library needs to know nothing of the connection."""
        return None
