"""Requests over HTTP to judged addresses."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.network.body_decoder import BodyDecoder
from mcp_server.resources.network.egress_rules import EgressRules
from mcp_server.resources.network.http_limits import KIBIBYTES, HttpLimits
from mcp_server.resources.network.http_reply import HttpReply
from mcp_server.resources.network.pinned_connector import PinnedConnector
from mcp_server.resources.network.request_headers import RequestHeaders
from mcp_server.resources.network.tls_trust import TLSTrust
from mcp_server.resources.network.web_address import WebAddress

try:
    from httpcore2 import URL, AsyncHTTP11Connection, NetworkError, Origin, ProtocolError, Request

    from mcp_server.resources.network.http_stream import HttpStream
except ImportError as error:
    raise ConfigurationError("requests over HTTP need a package: install the extra [http-client]") from error

METHODS: Final = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
"""Not CONNECT, which would make a tunnel of it, and not TRACE, which would send credentials back."""

REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
USER_AGENT: Final = "guarded-mcp-server"
# What the framing of chunks may add to a body.
_FRAMING_BYTES: Final = 64 * KIBIBYTES


class HttpClient:
    """Send a request and return the whole answer, asking the rules at every hop.

    A connection carries one request and is closed. So nothing is kept from one caller that another could come to use:
    no connection, no cookie, no session. Nothing is read from the environment: no proxy, no credentials file.

    A redirect is a new request: its address is read, permitted, resolved and judged like the first. It never leads from
    `https` to `http`, and to another origin it takes along no body and nothing that could be a credential.

    Args:
        connector: Makes the connections.
        trust: Whom TLS believes.
        run_blocking: Runs a function with its arguments in a thread.
        limits: Bounds.

    >>> import ipaddress
    >>> async def nowhere(endpoint): return [ipaddress.ip_address("127.0.0.1")]
    >>> client = HttpClient(connector=PinnedConnector(resolve=nowhere), trust=TLSTrust())
    >>> from mcp_server.resources.network.address_rules import AddressRules
    >>> class Rules(AddressRules):
    ...     async def permit(self, endpoint): print("asked for", endpoint)
    >>> asyncio.run(client.request("GET", "http://api.example.org/", rules=Rules()))
    Traceback (most recent call last):
    mcp_server.errors.permission_denied_error.PermissionDeniedError: 'api.example.org:80' leads to an address ...
    """

    def __init__(
        self,
        *,
        connector: PinnedConnector,
        trust: TLSTrust,
        run_blocking: Callable[..., Awaitable[Any]] = asyncio.to_thread,
        limits: HttpLimits | None = None,
    ) -> None:
        self._connector = connector
        self._trust = trust
        self._run_blocking = run_blocking
        self._limits = HttpLimits() if limits is None else limits
        self._places = asyncio.Semaphore(self._limits.max_concurrent)

    async def request(
        self,
        method: str,
        url: str,
        *,
        rules: EgressRules,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> HttpReply:
        """Return the answer to one request, redirects followed.

        Args:
            method: GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
            url: An `https` or `http` address.
            rules: Asked before anything is resolved, and again before anything is connected to, at every hop.
            headers: Further headers.
            body: The body.
            timeout_seconds: How long all of it may take, the time in which a human is asked left out.

        Raises:
            PermissionDeniedError: The rules refuse the name or an address, of the first hop or of a later one.
            SandboxViolationError: The address, a header or a redirect is none that could be followed.
            LimitExceededError: It took too long, or the answer is too large.
            ResourceUnavailableError: Nobody answers, or not in HTTP, or without proof of the name.
        """
        limits = self._limits
        if method not in METHODS:
            raise SandboxViolationError("name", f"the method must be one of {', '.join(sorted(METHODS))}")
        if body is not None and len(body) > limits.max_request_bytes:
            raise LimitExceededError(
                "max_request_bytes", f"the body is larger than {limits.max_request_bytes} bytes; send less"
            )
        try:
            address = WebAddress.parse(url)
            sent = RequestHeaders(headers or {}).with_default("accept", "*/*").with_default("user-agent", USER_AGENT)
        except ValueError as error:
            raise SandboxViolationError("name", str(error)) from error
        seconds = min(timeout_seconds or limits.total_seconds, limits.max_total_seconds)
        async with self._places:
            try:
                async with asyncio.timeout(seconds) as deadline:
                    return await self._follow(method, address, sent, body, rules, deadline)
            except TimeoutError as error:
                raise LimitExceededError(
                    "timeout_seconds", f"the request took longer than {seconds:g} s and was stopped"
                ) from error

    async def _follow(
        self,
        method: str,
        address: WebAddress,
        headers: RequestHeaders,
        body: bytes | None,
        rules: EgressRules,
        deadline: asyncio.Timeout,
    ) -> HttpReply:
        for _ in range(self._limits.max_redirects + 1):
            await _permit(rules, address, deadline)
            reply = await self._exchange(method, address, headers, body, rules)
            if reply.status not in REDIRECTS or "location" not in reply.headers:
                return reply
            target = _redirected(address, reply.headers["location"])
            # Source: RFC 9110, 15.4: a form that was sent is not sent again, unless the server asks for just that.
            if (reply.status == 303 and method != "HEAD") or (reply.status in (301, 302) and method == "POST"):
                method, body, headers = "GET", None, headers.without_body()
            if target.origin != address.origin:
                if body is not None:
                    raise SandboxViolationError("escape", "a redirect would send the body to somebody else")
                headers = headers.for_another_origin()
            address = target
        raise ResourceUnavailableError("io", f"the address leads on more than {self._limits.max_redirects} times")

    async def _exchange(
        self, method: str, address: WebAddress, headers: RequestHeaders, body: bytes | None, rules: EgressRules
    ) -> HttpReply:
        """Make a connection, send one request over it, and close it."""
        tls = await self._tls() if address.scheme == "https" else None
        reader, writer = await self._connector.connect(address.endpoint, rules.admit, tls=tls)
        try:
            stream = HttpStream(reader, writer, allowance=self._limits.max_header_bytes, limit="max_header_bytes")
            return await self._converse(stream, method, address, headers, body)
        except ProtocolError as error:
            raise ResourceUnavailableError("io", f"{str(address.endpoint)!r} did not answer in HTTP") from error
        except NetworkError as error:
            raise ResourceUnavailableError("io", f"{str(address.endpoint)!r} broke the connection off") from error
        finally:
            writer.transport.abort()

    async def _converse(
        self, stream: HttpStream, method: str, address: WebAddress, headers: RequestHeaders, body: bytes | None
    ) -> HttpReply:
        limits = self._limits
        host, port = address.endpoint.host, address.endpoint.port
        url = URL(scheme=address.scheme, host=host, port=port, target=address.target)
        connection = AsyncHTTP11Connection(Origin(address.scheme.encode(), host.encode(), port), stream)
        length = len(body) if body is not None else 0 if method in ("PATCH", "POST", "PUT") else None
        lines = headers.lines(address.authority, length)
        response = await connection.handle_async_request(Request(method, url, headers=lines, content=body))
        received = _joined(response.headers)
        if response.status in REDIRECTS and "location" in received:
            # What else it says is for people.
            return HttpReply(response.status, received, b"", str(address))
        # Decompressed data is bounded by the decoder; this bounds what comes in, were it to become nothing.
        stream.allow(limits.max_body_bytes + limits.max_body_bytes // 16 + _FRAMING_BYTES, "max_body_bytes")
        decoder = BodyDecoder(received.get("content-encoding", ""), max_bytes=limits.max_body_bytes)
        async for data in response.aiter_stream():
            decoder.feed(data)
        return HttpReply(response.status, received, decoder.finish(), str(address))

    async def _tls(self) -> ssl.SSLContext:
        if self._trust.is_ready:
            return self._trust.context()
        context: ssl.SSLContext = await self._run_blocking(self._trust.context)
        return context


async def _permit(rules: EgressRules, address: WebAddress, deadline: asyncio.Timeout) -> None:
    """Ask the rules; they may ask a human, whose time is not the request's."""
    clock = asyncio.get_running_loop().time
    until = deadline.when()
    left = None if until is None else until - clock()
    deadline.reschedule(None)
    await rules.permit(address.endpoint)
    deadline.reschedule(None if left is None else clock() + left)


def _redirected(address: WebAddress, location: str) -> WebAddress:
    """Return where a redirect leads, or refuse it."""
    try:
        # Header bytes come as Latin-1; servers that write more than ASCII write UTF-8.
        target = address.join(quote(location.encode("latin-1"), safe="%/:?#[]@!$&'()*+,;=-._~\\\x00\t\n\r "))
    except ValueError as error:
        raise SandboxViolationError("name", f"a redirect cannot be followed: {error}") from error
    if address.scheme == "https" and target.scheme != "https":
        raise SandboxViolationError("escape", "a redirect leads from https to http and was not followed")
    return target


def _joined(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by name, several of one name joined. Source: RFC 9110, 5.3."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
