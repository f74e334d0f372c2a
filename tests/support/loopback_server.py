"""A server on loopback that says what a test tells it to."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


class LoopbackServer:
    """Reads one request from each connection, keeps it, and lets the test write the answer, byte by byte.

    Args:
        answer: Bytes to send, or a function that gets the request and the writer.
        tls: For a server with a certificate.
        speaks_first: Whether it says its piece without having been asked.
    """

    def __init__(
        self, answer: bytes | Answer, *, tls: ssl.SSLContext | None = None, speaks_first: bool = False
    ) -> None:
        self._answer = answer
        self._speaks_first = speaks_first
        self._tls = tls
        self._writers: list[asyncio.StreamWriter] = []
        self.requests: list[bytes] = []
        self.port = 0

    @property
    def heads(self) -> list[str]:
        """The request line and headers of each request."""
        return [request.partition(b"\r\n\r\n")[0].decode("latin-1") for request in self.requests]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            if self._speaks_first and isinstance(self._answer, bytes):
                writer.write(self._answer)
            request = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"\r\ncontent-length: *([0-9]+)", request, re.IGNORECASE)
            if length is not None:
                request += await reader.readexactly(int(length[1]))
            self.requests.append(request)
            if isinstance(self._answer, bytes):
                writer.write(self._answer)
                await writer.drain()
            else:
                await self._answer(request, writer)
            writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()


def ok(body: bytes = b"", *headers: str) -> bytes:
    """Return an answer with status 200."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302) -> bytes:
    """Return an answer that leads on."""
    return f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
