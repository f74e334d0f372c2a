"""From a name to addresses."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.endpoint import Endpoint, IPAddress

MAX_ADDRESSES: Final = 8
"""Addresses of one name that are looked at; what is beyond them is never connected to. Few, for each is on record."""


class NameResolver:
    """Ask the operating system for the addresses of a name, in a thread.

    The thread of an answer that never comes outlives whoever waited for it: `run_blocking` bounds their number, and the
    connector bounds the waiting.

    Args:
        run_blocking: Runs a function with its arguments in a thread.
        look_up: `socket.getaddrinfo`, or what stands for it.

    >>> import asyncio
    >>> resolver = NameResolver(run_blocking=asyncio.to_thread)
    >>> asyncio.run(resolver.resolve(Endpoint.parse("127.0.0.1:80")))
    (IPv4Address('127.0.0.1'),)
    """

    def __init__(
        self, *, run_blocking: Callable[..., Awaitable[Any]], look_up: Callable[..., Any] = socket.getaddrinfo
    ) -> None:
        self._run_blocking = run_blocking
        self._look_up = look_up

    async def resolve(self, endpoint: Endpoint) -> tuple[IPAddress, ...]:
        """Return the addresses of an endpoint's host, each once, in the order in which they are to be tried.

        Raises:
            ResourceUnavailableError: There is no such name, or nobody who knows it.
        """
        if endpoint.address is not None:
            return (endpoint.address,)
        try:
            found = await self._run_blocking(
                self._look_up, endpoint.host, endpoint.port, socket.AF_UNSPEC, socket.SOCK_STREAM
            )
        except (OSError, UnicodeError) as error:
            raise ResourceUnavailableError("missing", f"the name of {str(endpoint)!r} has no address") from error
        # Each is family, type, protocol, canonical name and socket address, whose first part is the address.
        addresses = tuple(dict.fromkeys(ip_address(each[4][0]) for each in found[:MAX_ADDRESSES]))
        if not addresses:
            raise ResourceUnavailableError("missing", f"the name of {str(endpoint)!r} has no address")
        return addresses
