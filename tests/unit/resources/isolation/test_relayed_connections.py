from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcp_server.resources.isolation.relayed_connections import RelayedConnections


class Rig:
    """A server on loopback whose connections are handed over as a relay does, and what they are served by."""

    def __init__(self, **bounds: int) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.served: list[asyncio.StreamWriter] = []
        self.free = asyncio.Event()
        self.null = os.open(os.devnull, os.O_RDONLY)
        self.plugs: list[socket.socket] = []
        self.connections = RelayedConnections(channel=self.ours, serve=self.serve, **bounds)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served.append(writer)
        await self.free.wait()
        writer.write(b"bye")
        writer.close()

    def accepted(self) -> socket.socket:
        plug = socket.create_connection(self.listener.getsockname())
        plug.setblocking(False)
        self.plugs.append(plug)
        return self.listener.accept()[0]

    def hand_over(self, *descriptors: int) -> None:
        socket.send_fds(self.theirs, [b"C"], descriptors)

    def connect(self) -> None:
        with self.accepted() as connection:
            self.hand_over(connection.fileno())

    async def until(self, is_so: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not is_so():  # noqa: ASYNC110 - a condition of the code under test, which tells nobody
                await asyncio.sleep(0)

    async def received(self, number: int) -> bytes:
        async with asyncio.timeout(10):
            return await asyncio.get_running_loop().sock_recv(self.plugs[number], 100)


@asynccontextmanager
async def rigged(**bounds: int) -> AsyncIterator[Rig]:
    rig = Rig(**bounds)
    rig.connections.begin()
    try:
        yield rig
    finally:
        rig.connections.end()
        await rig.connections.ended()
        for plug in (rig.ours, rig.theirs, rig.listener, *rig.plugs):
            plug.close()
        os.close(rig.null)


def within(work: Callable[[Rig], Awaitable[None]], **bounds: int) -> None:
    async def run() -> None:
        async with rigged(**bounds) as rig:
            await work(rig)

    asyncio.run(run())


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_each_connection_is_served_to_its_end() -> None:
    async def work(rig: Rig) -> None:
        for _ in range(3):
            rig.connect()
        await rig.until(lambda: len(rig.served) == 3)
        rig.free.set()
        assert [await rig.received(number) for number in range(3)] == [b"bye"] * 3
        assert await rig.received(0) == b""

    within(work)


def test_all_of_them_end_when_it_does() -> None:
    async def work(rig: Rig) -> None:
        rig.connect()
        await rig.until(lambda: rig.served)
        rig.connections.end()
        await rig.connections.ended()
        assert await rig.received(0) == b""
        # And nothing more is taken, whatever is begun.
        rig.connections.begin()
        rig.connect()
        await asyncio.sleep(0)
        assert len(rig.served) == 1

    within(work)


def test_what_is_too_much_at_once_waits() -> None:
    async def work(rig: Rig) -> None:
        for _ in range(5):
            rig.connect()
        await rig.until(lambda: len(rig.served) == 2)
        assert len(rig.connections._tasks) == 2
        rig.free.set()
        await rig.until(lambda: len(rig.served) == 5)

    within(work, max_open=2)


def test_what_is_too_much_in_all_is_not_taken() -> None:
    async def work(rig: Rig) -> None:
        rig.free.set()
        for _ in range(5):
            rig.connect()
        assert await rig.received(2) == b"bye"
        await rig.until(lambda: not rig.connections._tasks)
        assert len(rig.served) == 3

    within(work, max_in_all=3)


@pytest.mark.parametrize("count", [0, 2, 4, 9])
def test_what_no_relay_sends_ends_the_taking_and_leaks_nothing(count: int) -> None:
    async def work(rig: Rig) -> None:
        before = open_descriptors()
        with rig.accepted() as connection:
            rig.hand_over(*[connection.fileno()] * count)
        await rig.until(lambda: not rig.connections._is_reading)
        # Its other end, which the test holds.
        assert open_descriptors() == before + 1
        rig.connect()
        rig.connections.begin()
        assert (rig.served, rig.connections._tasks) == ([], set())

    within(work)


def test_what_is_no_connection_over_tcp_is_closed() -> None:
    async def work(rig: Rig) -> None:
        before = open_descriptors()
        one, other = socket.socketpair()
        datagrams = socket.socket(type=socket.SOCK_DGRAM)
        for each in (one, datagrams, rig.listener):
            rig.hand_over(each.fileno())
        rig.hand_over(rig.null)
        for each in (one, other, datagrams):
            each.close()
        with rig.accepted() as connection:
            rig.plugs.pop().close()
            rig.hand_over(connection.fileno())
        rig.connect()
        await rig.until(lambda: rig.served)
        # The one whose other end has left may be served for what it still says.
        rig.connections.end()
        await rig.connections.ended()
        assert len(rig.served) <= 2
        assert open_descriptors() == before + 1

    within(work)


def test_the_end_of_the_relay_ends_the_taking() -> None:
    async def work(rig: Rig) -> None:
        rig.theirs.close()
        await rig.until(lambda: not rig.connections._is_reading)
        rig.connections.begin()
        assert not rig.connections._is_reading

    within(work)


def test_a_bug_in_the_serving_of_one_is_logged_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def work(rig: Rig) -> None:
        serve, rig.connections._serve = rig.connections._serve, _failing
        rig.connect()
        assert await rig.received(0) == b""
        rig.connections._serve = serve
        rig.free.set()
        rig.connect()
        assert await rig.received(1) == b"bye"

    within(work)
    assert "could not be served" in caplog.text


async def _failing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    raise ZeroDivisionError
