"""One sandbox's end of its proxy, over a pair of sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.egress_limits import EgressLimits
from mcp_server.resources.network.egress_proxy import EgressProxy
from tests.support.web_rig import WebRig


class SandboxExit:
    """A proxy whose names a test makes up, and connections to it as the relay in the sandbox makes them.

    Args:
        names: As for `WebRig`.
        allowed: Hosts and ports.
        granted: Networks that may be connected to.
        limits: The proxy's bounds.
        rig: Settings of the rig that resolves.
    """

    def __init__(
        self,
        names: dict[str, list[Any]],
        allowed: Iterable[str],
        *,
        granted: Iterable[str] = (),
        limits: EgressLimits | None = None,
        **rig: Any,
    ) -> None:
        self.rig = WebRig(names, **rig)
        self.told: list[tuple[str, int]] = []
        self.proxy = EgressProxy(
            allowed=allowed,
            connector=self.rig.connector,
            rules=AddressRules(granted=granted),
            limits=limits,
            report=lambda asked, status: self.told.append((asked, status)),
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the streams of a new connection to the proxy."""
        inner, outer = socket.socketpair()
        served = await asyncio.open_connection(sock=outer)
        self._tasks.append(asyncio.get_running_loop().create_task(self.proxy.serve(*served)))
        reader, writer = await asyncio.open_connection(sock=inner)
        self._writers.append(writer)
        return reader, writer

    async def ask(self, request: bytes) -> bytes:
        """Return all that comes back for `request`, after which nothing more is sent."""
        reader, writer = await self.open()
        writer.write(request)
        writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()

    async def status(self, request: bytes) -> int:
        """Return the status of the answer to `request`."""
        reader, writer = await self.open()
        writer.write(request)
        async with asyncio.timeout(10):
            return int((await reader.readline()).split(b" ")[1])

    async def ended(self) -> None:
        """Wait until everything that was served has ended."""
        async with asyncio.timeout(10):
            await asyncio.gather(*self._tasks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def connect(target: str | bytes) -> bytes:
    """Return a request for a tunnel."""
    text = target.encode("latin-1") if isinstance(target, str) else target
    return b"CONNECT " + text + b" HTTP/1.1\r\nHost: x\r\n\r\n"
