"""A sandbox's only way out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.address_judge import AddressJudge
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.egress_limits import EgressLimits
from mcp_server.resources.network.egress_refused_error import EgressRefusedError
from mcp_server.resources.network.egress_request import EgressRequest, forwarded
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.resources.network.pinned_connector import PinnedConnector

try:
    import h11
except ImportError as error:
    raise ConfigurationError("a sandbox with a network needs a package: install the extra [http-client]") from error

logger = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024

_ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"


class EgressProxy:
    """Carry the connections of one sandbox to the hosts that it was granted, and to nothing else.

    An HTTP proxy: `CONNECT host:port` for a tunnel, and plain requests with a whole `http://` address. The host and
    port are compared *byte for byte* with what was granted: `API.example.org:443` is not `api.example.org:443`, and no
    address is the name that leads to it. Only then is the name resolved, here and once; so what the sandbox may not
    reach it cannot even ask DNS for. Each address is judged, and the connection goes to what was judged.

    What runs through a tunnel is not read: a granted host is trusted with everything that the sandbox knows.

    Serves one connected socket at a time for each call of `serve`; whoever calls it owns the task, and ends it.

    Args:
        allowed: Hosts and ports, each in its one canonical form.
        connector: Resolves, judges and connects.
        rules: Which addresses may be connected to.
        limits: Bounds, of all connections of the sandbox together.
        report: Told of each decision, host and port as they were asked for and the status: evidence for the audit.

    Raises:
        ConfigurationError: What is allowed is no host and port, or not in its canonical form.

    >>> async def nowhere(endpoint): return []
    >>> async def ask(request):
    ...     proxy = EgressProxy(allowed=["api.example.org:443"], connector=PinnedConnector(resolve=nowhere))
    ...     server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    ...     reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    ...     writer.write(request)
    ...     answer = await reader.readline()
    ...     writer.close()
    ...     server.close()
    ...     return answer
    >>> asyncio.run(ask(b"CONNECT evil.example:443 HTTP/1.1\\r\\nHost: evil.example\\r\\n\\r\\n"))
    b'HTTP/1.1 403 Forbidden\\r\\n'
    """

    def __init__(
        self,
        *,
        allowed: Iterable[str],
        connector: PinnedConnector,
        rules: AddressJudge | None = None,
        limits: EgressLimits | None = None,
        report: Callable[[str, int], None] | None = None,
    ) -> None:
        self._allowed = frozenset(map(_canonical, allowed))
        self._connector = connector
        self._rules: AddressJudge = AddressRules() if rules is None else rules
        self._limits = EgressLimits() if limits is None else limits
        self._report = report
        self._open = 0
        self._carried = 0

    @property
    def carried_bytes(self) -> int:
        """How many bytes went through, in both directions."""
        return self._carried

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connected socket: one tunnel, or one plain request; then close it.

        Args:
            reader: What the sandbox sends.
            writer: What it receives.
        """
        self._open += 1
        try:
            with suppress(ConnectionError):
                await self._serve(reader, writer)
        finally:
            self._open -= 1
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        down = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.max_header_bytes)
        asked = "?"
        try:
            if self._open > self._limits.max_tunnels:
                raise EgressRefusedError(503, "too many connections are open")
            head = await self._head(down, reader)
            request = EgressRequest.read(head.method, head.target)
            asked = request.asked.decode("ascii")
            if request.asked not in self._allowed:
                raise EgressRefusedError(403, "this host and port are not granted; the operator can grant them")
            up_reader, up_writer = await self._connected(request.endpoint)
        except EgressRefusedError as refusal:
            self._tell(asked, refusal.status)
            writer.write(refusal.answer())
            await writer.drain()
            return
        self._tell(asked, 200)
        try:
            async with asyncio.timeout(self._limits.idle_seconds) as idle:
                if request.is_tunnel:
                    await self._tunnel(down, (reader, writer), (up_reader, up_writer), idle)
                else:
                    await self._forward(down, head, request, (reader, writer), (up_reader, up_writer), idle)
        except (h11.ProtocolError, EgressRefusedError, OSError) as error:
            # Among them the TimeoutError of a silence. Half an answer cannot be turned into a refusal.
            logger.debug("a connection to %s ended: %s", asked, error)
            if not request.is_tunnel and down.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                writer.write(EgressRefusedError(502, "this host did not answer in HTTP").answer())
        finally:
            up_writer.transport.abort()

    async def _head(self, down: h11.Connection, reader: asyncio.StreamReader) -> h11.Request:
        """Read up to the end of the header lines."""
        try:
            async with asyncio.timeout(self._limits.header_seconds):
                while True:
                    event = down.next_event()
                    if isinstance(event, h11.Request):
                        return event
                    if event is not h11.NEED_DATA:
                        raise EgressRefusedError(400, "this is no request")
                    down.receive_data(await reader.read(READ_BYTES))
        except h11.RemoteProtocolError as error:
            status = 431 if error.error_status_hint == 431 else 400
            raise EgressRefusedError(status, "the request cannot be read") from error
        except TimeoutError as error:
            raise EgressRefusedError(408, "the request did not come in time") from error

    async def _connected(self, endpoint: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await self._connector.connect(endpoint, self._rules.admit)
        except PermissionDeniedError as error:
            raise EgressRefusedError(403, "this host leads to an address that is not granted") from error
        except ResourceUnavailableError as error:
            status = 504 if error.reason == "busy" else 502
            raise EgressRefusedError(status, "this host cannot be reached") from error

    async def _tunnel(
        self,
        down: h11.Connection,
        inner: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        outer: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        idle: asyncio.Timeout,
    ) -> None:
        """Carry bytes both ways until both ends have said all."""
        inner[1].write(_ESTABLISHED)
        # What came behind the request, before it was answered, belongs to the other end already.
        early = down.trailing_data[0]
        if early:
            self._count(len(early), idle)
            outer[1].write(early)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._pump(inner[0], outer[1], idle))
            tasks.create_task(self._pump(outer[0], inner[1], idle))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle: asyncio.Timeout) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(READ_BYTES):
                if not self._has_room(len(data), idle):
                    # Both directions end, for the other end of this one sees an end, too.
                    break
                writer.write(data)
                await writer.drain()
            writer.write_eof()

    async def _forward(
        self,
        down: h11.Connection,
        head: h11.Request,
        request: EgressRequest,
        inner: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        outer: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        idle: asyncio.Timeout,
    ) -> None:
        """Send a plain request on, framed anew, and its answer back: two readings of one message cannot differ."""
        up = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._limits.max_header_bytes)
        authority = request.asked.removesuffix(b":80")
        own = [(b"host", authority), (b"connection", b"close"), *_framing(head)]
        headers = forwarded([each for each in head.headers if each[0] != b"content-length"], own)
        await self._send(up, outer[1], h11.Request(method=head.method, target=request.target, headers=headers), idle)
        if down.they_are_waiting_for_100_continue:
            await self._send(down, inner[1], h11.InformationalResponse(status_code=100, headers=[]), idle)
        await self._copy(down, inner[0], up, outer[1], idle)
        await self._copy(up, outer[0], down, inner[1], idle)

    async def _copy(
        self,
        source: h11.Connection,
        reader: asyncio.StreamReader,
        sink: h11.Connection,
        writer: asyncio.StreamWriter,
        idle: asyncio.Timeout,
    ) -> None:
        """Send on what `source` reads, up to the end of its message."""
        while True:
            event = source.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(READ_BYTES)
                self._count(len(data), idle)
                source.receive_data(data)
            elif isinstance(event, h11.Response):
                kept = [each for each in event.headers if each[0] != b"content-length"]
                headers = forwarded(kept, [(b"connection", b"close"), *_framing(event)])
                answer = h11.Response(status_code=event.status_code, headers=headers, reason=event.reason)
                await self._send(sink, writer, answer, idle)
            elif isinstance(event, h11.Data):
                await self._send(sink, writer, h11.Data(data=bytes(event.data)), idle)
            elif isinstance(event, h11.EndOfMessage):
                await self._send(sink, writer, h11.EndOfMessage(), idle)
                return
            elif not isinstance(event, h11.InformationalResponse):
                raise EgressRefusedError(502, "the connection ended in the middle")

    async def _send(
        self, connection: h11.Connection, writer: asyncio.StreamWriter, event: h11.Event, idle: asyncio.Timeout
    ) -> None:
        data = connection.send(event) or b""
        writer.write(data)
        await writer.drain()
        self._count(0, idle)

    def _count(self, count: int, idle: asyncio.Timeout) -> None:
        if not self._has_room(count, idle):
            raise EgressRefusedError(502, "this sandbox has had all the bytes that it may")

    def _has_room(self, count: int, idle: asyncio.Timeout) -> bool:
        """Count bytes, put off the end for silence, and say whether there may be more."""
        idle.reschedule(asyncio.get_running_loop().time() + self._limits.idle_seconds)
        self._carried += count
        return self._carried <= self._limits.max_bytes

    def _tell(self, asked: str, status: int) -> None:
        if self._report is not None:
            self._report(asked, status)


def _canonical(text: str) -> bytes:
    try:
        endpoint = str(Endpoint.parse(text))
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is no host and port: {error}") from error
    if endpoint != text:
        raise ConfigurationError(f"{text!r} must be written {endpoint!r}")
    return text.encode("ascii")


def _framing(message: h11.Request | h11.Response) -> list[tuple[bytes, bytes]]:
    """Return the one header that says where the body ends, if there is one; of two, the one that h11 goes by."""
    headers = {name: value for name, value in message.headers if name in (b"content-length", b"transfer-encoding")}
    if b"transfer-encoding" in headers:
        return [(b"transfer-encoding", b"chunked")]
    return list(headers.items())
