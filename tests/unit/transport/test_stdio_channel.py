from __future__ import annotations

import asyncio
import fcntl
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.security.authentication.credentials import Credentials
from mcp_server.transport.stdio_channel import JOIN_BYTES, StdioChannel

CREDENTIALS = Credentials(transport="stdio", profile="local")


class Desk:
    """A channel, the other end of its pipe, and what it said of pressure."""

    def __init__(self, *, max_unsent_bytes: int = 1 << 20, pipe_bytes: int | None = None) -> None:
        self.read_fd, self.write_fd = os.pipe()
        self.pressure: list[bool] = []
        self.channel = StdioChannel(
            write_fd=self.write_fd,
            credentials=CREDENTIALS,
            max_unsent_bytes=max_unsent_bytes,
            on_pressure=self.pressure.append,
        )
        if pipe_bytes is not None:
            fcntl.fcntl(self.write_fd, fcntl.F_SETPIPE_SZ, pipe_bytes)
        os.set_blocking(self.read_fd, False)

    def read(self, count: int = 1 << 20) -> bytes:
        try:
            return os.read(self.read_fd, count)
        except BlockingIOError:
            return b""

    async def read_all(self, size: int) -> bytes:
        data = b""
        async with asyncio.timeout(10):
            while len(data) < size:
                data += self.read()
                await asyncio.sleep(0)
        return data

    def close(self) -> None:
        self.channel.close()
        for descriptor in (self.read_fd, self.write_fd):
            try:
                os.close(descriptor)
            except OSError:
                continue


def with_desk(work: Callable[[Desk], Awaitable[Any]], **settings: Any) -> None:
    async def run() -> None:
        desk = Desk(**settings)
        try:
            await work(desk)
        finally:
            desk.close()

    asyncio.run(run())


def test_each_message_is_a_line() -> None:
    async def work(desk: Desk) -> None:
        for message in (b'{"a":1}', b"{}", b'{"b":2}'):
            desk.channel.send(message)
        await asyncio.sleep(0)
        assert desk.read() == b'{"a":1}\n{}\n{"b":2}\n'

    with_desk(work)


def test_messages_of_one_turn_go_out_in_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(desk: Desk) -> None:
        writes: list[bytes] = []
        real = os.write
        monkeypatch.setattr(os, "write", lambda fd, data: (writes.append(bytes(data)), real(fd, data))[1])
        for number in range(10):
            desk.channel.send(str(number).encode())
        assert writes == []
        await asyncio.sleep(0)
        monkeypatch.undo()
        assert len(writes) == 1
        assert desk.read().split() == [str(number).encode() for number in range(10)]

    with_desk(work)


@pytest.mark.parametrize("size", [1, JOIN_BYTES - 2, JOIN_BYTES, JOIN_BYTES + 1, 300_000])
def test_messages_of_any_size_arrive_whole_and_in_order_through_a_small_pipe(size: int) -> None:
    async def work(desk: Desk) -> None:
        messages = [bytes([97 + number]) * size for number in range(5)]
        for message in messages:
            desk.channel.send(message)
        data = await desk.read_all(5 * (size + 1))
        assert data == b"".join(message + b"\n" for message in messages)

    with_desk(work, pipe_bytes=4096)


def test_more_messages_than_one_call_to_the_kernel_takes_arrive() -> None:
    async def work(desk: Desk) -> None:
        for number in range(5_000):
            desk.channel.send(b"%08d" % number + b"x" * 20)
        data = await desk.read_all(5_000 * 29)
        assert [int(line[:8]) for line in data.split(b"\n")[:-1]] == list(range(5_000))

    with_desk(work)


def test_a_client_that_does_not_read_presses_and_one_that_reads_again_relieves() -> None:
    async def work(desk: Desk) -> None:
        desk.channel.send(b"x" * 10_000)
        assert desk.pressure == []
        desk.channel.send(b"y" * 100_000)
        assert desk.pressure == [True]
        desk.channel.send(b"z" * 100_000)
        await asyncio.sleep(0)
        assert desk.pressure == [True]
        await desk.read_all(210_003)
        await asyncio.sleep(0)
        assert desk.pressure == [True, False]
        # And again.
        desk.channel.send(b"x" * 100_000)
        assert desk.pressure == [True, False, True]
        await desk.read_all(100_001)

    with_desk(work, max_unsent_bytes=50_000, pipe_bytes=4096)


def test_a_client_that_is_gone_is_written_to_no_more() -> None:
    async def work(desk: Desk) -> None:
        os.close(desk.read_fd)
        desk.channel.send(b"x" * 100_000)
        assert desk.pressure == [True]
        await asyncio.sleep(0)
        assert desk.pressure == [True, False]
        for _ in range(100):
            desk.channel.send(b"x" * 1_000_000)
        assert desk.channel._unsent == []
        async with asyncio.timeout(10):
            await desk.channel.drain(1_000)

    with_desk(work, max_unsent_bytes=50_000)


def test_draining_waits_until_everything_is_with_the_kernel() -> None:
    async def work(desk: Desk) -> None:
        desk.channel.send(b"x" * 20_000)
        draining = asyncio.ensure_future(desk.channel.drain(1_000))
        await asyncio.sleep(0)
        assert not draining.done()
        assert len(await desk.read_all(20_001)) == 20_001
        async with asyncio.timeout(10):
            await draining
        # With nothing to write there is nothing to wait for.
        await desk.channel.drain(1_000)

    with_desk(work, pipe_bytes=4096)


def test_draining_gives_up_after_its_time() -> None:
    async def work(desk: Desk) -> None:
        desk.channel.send(b"x" * 200_000)
        async with asyncio.timeout(10):
            await desk.channel.drain(0.0)
        assert desk.channel._unsent

    with_desk(work, pipe_bytes=4096)


def test_a_closed_channel_writes_nothing_and_leaves_the_given_descriptor_open() -> None:
    async def work(desk: Desk) -> None:
        desk.channel.send(b"lost")
        desk.channel.close()
        desk.channel.send(b"lost too")
        await asyncio.sleep(0)
        assert desk.read() == b""
        os.fstat(desk.write_fd)
        desk.channel.close()

    with_desk(work)


def test_closing_while_a_client_does_not_read_lets_the_loop_go() -> None:
    async def work(desk: Desk) -> None:
        desk.channel.send(b"x" * 200_000)
        await asyncio.sleep(0)
        assert desk.channel._is_waiting
        desk.channel.close()
        assert not desk.channel._is_waiting

    with_desk(work, pipe_bytes=4096)


def test_the_pipe_stays_blocking_for_whoever_shares_it() -> None:
    async def work(desk: Desk) -> None:
        assert os.get_blocking(desk.write_fd)
        assert not os.get_blocking(desk.channel._fd)

    with_desk(work)


def test_a_socket_and_a_file_will_do_as_well(tmp_path: Path) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair()
        path = tmp_path / "out"
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        for descriptor in (ours.fileno(), file):
            channel = StdioChannel(
                write_fd=descriptor, credentials=CREDENTIALS, max_unsent_bytes=1, on_pressure=lambda pressed: None
            )
            channel.send(b"hello")
            await asyncio.sleep(0)
            channel.close()
        assert theirs.recv(100) == b"hello\n"
        assert path.read_bytes() == b"hello\n"
        ours.close()
        theirs.close()
        os.close(file)

    asyncio.run(run())
