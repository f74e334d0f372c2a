from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.endpoint import Endpoint, IPAddress
from mcp_server.resources.network.pinned_connector import PinnedConnector
from tests.support.loopback_server import LoopbackServer, ok

ALL = AddressRules(granted=["0.0.0.0/0", "::/0"]).admit


def connector_to(*addresses: str, **settings: float) -> PinnedConnector:
    async def resolve(endpoint: Endpoint) -> Sequence[IPAddress]:
        return [ip_address(each) for each in addresses]

    return PinnedConnector(resolve=resolve, **settings)


async def talk(connector: PinnedConnector, port: int) -> bytes:
    reader, writer = await connector.connect(Endpoint("a.example", port), ALL)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


def test_addresses_are_tried_in_turn() -> None:
    async def use() -> bytes:
        async with LoopbackServer(ok(b"here")) as server:
            # Nobody listens at the first, and nothing at all leads to the second.
            return await talk(connector_to("127.0.0.2", "::1", "127.0.0.1"), server.port)

    assert asyncio.run(use()).endswith(b"here")


def test_an_address_that_hangs_leaves_time_for_the_next() -> None:
    async def use() -> bytes:
        async with LoopbackServer(ok(b"here")) as server:
            connector = connector_to("127.0.0.2", "127.0.0.1", connect_seconds=0.2)
            real = connector._open_socket

            async def open_socket(address: IPAddress, port: int) -> socket.socket:
                if str(address) == "127.0.0.2":
                    await asyncio.Event().wait()
                return await real(address, port)

            connector._open_socket = open_socket
            return await talk(connector, server.port)

    assert asyncio.run(use()).endswith(b"here")


def test_everything_is_judged_before_anything_is_tried() -> None:
    judged: list[str] = []

    def admit(endpoint: Endpoint, address: IPAddress) -> None:
        judged.append(str(address))
        if str(address) == "10.0.0.1":
            raise PermissionDeniedError("no")

    async def use() -> int:
        async with LoopbackServer(ok(b"")) as server:
            with pytest.raises(PermissionDeniedError):
                await connector_to("127.0.0.1", "10.0.0.1").connect(Endpoint("a.example", server.port), admit)
            return len(server.requests)

    assert asyncio.run(use()) == 0
    assert judged == ["127.0.0.1", "10.0.0.1"]


def test_nobody_there_is_missing_and_too_late_is_busy() -> None:
    endpoint = Endpoint("a.example", 1)
    with pytest.raises(ResourceUnavailableError, match="nobody answers") as missing:
        asyncio.run(connector_to("127.0.0.1").connect(endpoint, ALL))
    with pytest.raises(ResourceUnavailableError, match="nobody answers"):
        asyncio.run(connector_to().connect(endpoint, ALL))

    async def never(endpoint: Endpoint) -> Sequence[IPAddress]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(ResourceUnavailableError, match="in time") as busy:
        asyncio.run(PinnedConnector(resolve=never, connect_seconds=0.02).connect(endpoint, ALL))
    assert (missing.value.reason, busy.value.reason) == ("missing", "busy")


def test_a_socket_that_lost_its_peer_is_nobody() -> None:
    async def open_socket(address: IPAddress, port: int) -> socket.socket:
        return socket.socket()

    async def resolve(endpoint: Endpoint) -> Sequence[IPAddress]:
        return [ip_address("127.0.0.1")]

    with pytest.raises(ResourceUnavailableError, match="nobody answers"):
        asyncio.run(PinnedConnector(resolve=resolve, open_socket=open_socket).connect(Endpoint("a.example", 1), ALL))


def test_a_cancelled_handshake_leaves_no_connection_open() -> None:
    async def use() -> bytes:
        came, left = asyncio.Event(), asyncio.get_running_loop().create_future()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            hello = await reader.read(1)
            came.set()
            rest = await reader.read()
            writer.close()
            left.set_result(hello + rest)

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        endpoint = Endpoint("a.example", server.sockets[0].getsockname()[1])
        connecting = connector_to("127.0.0.1").connect(endpoint, ALL, tls=ssl.create_default_context())
        task = asyncio.get_running_loop().create_task(connecting)
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        hello: bytes = await left
        server.close()
        return hello

    # The other end has seen the beginning of a handshake, and then an end.
    assert asyncio.run(use()).startswith(b"\x16\x03")
