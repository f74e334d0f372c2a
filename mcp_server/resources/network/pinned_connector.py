"""Connections to the address that was judged, and to no other."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.endpoint import Endpoint, IPAddress

SECONDS: Final = 1.0
CONNECT_SECONDS: Final = 10 * SECONDS
"""For the name, all of its addresses and the handshake together."""

Resolve = Callable[[Endpoint], Awaitable[Sequence[IPAddress]]]
Admit = Callable[[Endpoint, IPAddress], None]
OpenSocket = Callable[[IPAddress, int], Awaitable[socket.socket]]


class PinnedConnector:
    """Resolve once, judge every answer, connect to what was judged, and look where the connection ended.

    1. The name is resolved, once. There is no second question that could be answered differently (DNS rebinding).
    2. Each address is judged, and one that is refused refuses the name: an answer in which a private address hides
       behind a public one is an attack, or a mistake that the operator should hear of.
    3. The judged addresses are tried in turn, by number.
    4. The peer's address, as the kernel tells it, must be the one that was judged.
    5. With TLS, the certificate must prove the *name*; there is no way to do without.

    Args:
        resolve: Finds the addresses of an endpoint.
        connect_seconds: How long all of this may take.
        open_socket: Connects a socket to an address and port.

    >>> from mcp_server.resources.network.address_rules import AddressRules
    >>> resolver = [ip_address("10.0.0.1")]
    >>> async def resolve(endpoint): return resolver
    >>> connector = PinnedConnector(resolve=resolve)
    >>> asyncio.run(connector.connect(Endpoint.parse("api.example.org:443"), AddressRules().admit))
    Traceback (most recent call last):
    mcp_server.errors.permission_denied_error.PermissionDeniedError: 'api.example.org:443' leads to an address ...
    """

    def __init__(
        self,
        *,
        resolve: Resolve,
        connect_seconds: float = CONNECT_SECONDS,
        open_socket: OpenSocket | None = None,
    ) -> None:
        self._resolve = resolve
        self._connect_seconds = connect_seconds
        self._open_socket = _open_socket if open_socket is None else open_socket

    async def connect(
        self, endpoint: Endpoint, admit: Admit, *, tls: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the streams of a connection to `endpoint`.

        Args:
            endpoint: Where to; permitted already.
            admit: Raises for an address that may not be connected to.
            tls: For a connection with TLS; must demand a certificate and check the name.

        Raises:
            PermissionDeniedError: An address is refused.
            ResourceUnavailableError: There is no such name, nobody listens, or the certificate does not prove the name.
        """
        if tls is not None and not (tls.check_hostname and tls.verify_mode is ssl.CERT_REQUIRED):
            raise ValueError("this context does not check whom it talks to")
        try:
            async with asyncio.timeout(self._connect_seconds):
                # (1) Resolve. (2) Judge.
                addresses = tuple(await self._resolve(endpoint))
                for address in addresses:
                    admit(endpoint, address)
                # (3) Try each. (4) Look where it ended.
                connected = await self._connect_to_one(endpoint, addresses)
                # (5) Prove the name.
                return await _open_streams(connected, endpoint, tls)
        except TimeoutError as error:
            raise ResourceUnavailableError("busy", f"{str(endpoint)!r} did not answer in time") from error

    async def _connect_to_one(self, endpoint: Endpoint, addresses: Sequence[IPAddress]) -> socket.socket:
        failure: BaseException | None = None
        share = self._connect_seconds / max(1, len(addresses))
        for address in addresses:
            try:
                async with asyncio.timeout(share):
                    connected = await self._open_socket(address, endpoint.port)
            except OSError as error:
                # Among them the TimeoutError of its share.
                failure = error
                continue
            try:
                _require_peer(connected, endpoint, address)
            except BaseException:
                connected.close()
                raise
            return connected
        raise ResourceUnavailableError("missing", f"nobody answers at {str(endpoint)!r}") from failure


def _require_peer(connected: socket.socket, endpoint: Endpoint, address: IPAddress) -> None:
    """Return when the other end is the one that was judged."""
    try:
        peer = ip_address(connected.getpeername()[0])
    except (OSError, ValueError) as error:
        raise ResourceUnavailableError("missing", f"nobody answers at {str(endpoint)!r}") from error
    if peer != address:
        raise PermissionDeniedError(
            f"the connection to {str(endpoint)!r} ended somewhere else and was closed",
            missing=[("NETWORK_CONNECT", str(endpoint))],
        )


async def _open_socket(address: IPAddress, port: int) -> socket.socket:
    family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        # Numbers only: the loop asks nobody for them.
        await asyncio.get_running_loop().sock_connect(connecting, (str(address), port))
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connecting.close()
        raise
    return connecting


async def _open_streams(
    connected: socket.socket, endpoint: Endpoint, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        if tls is None:
            return await asyncio.open_connection(sock=connected)
        return await asyncio.open_connection(sock=connected, ssl=tls, server_hostname=endpoint.host)
    except ssl.SSLCertVerificationError as error:
        connected.close()
        raise ResourceUnavailableError("io", f"the certificate of {str(endpoint)!r} does not prove its name") from error
    except OSError as error:
        connected.close()
        raise ResourceUnavailableError("io", f"{str(endpoint)!r} does not speak TLS as it should") from error
    except BaseException:
        connected.close()
        raise
