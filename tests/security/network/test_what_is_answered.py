"""Attacks by the answer: it has an end, whatever the server does."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import tracemalloc
import zlib

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.http_limits import HttpLimits
from mcp_server.resources.network.http_reply import HttpReply
from tests.support.loopback_server import Answer, LoopbackServer, ok
from tests.support.web_rig import LOOPBACK, WebRig

MEBIBYTE = 1024 * 1024
SHORT = 0.05
"""Seconds that a server which never answers is given."""


async def get(answer: bytes | Answer, limits: HttpLimits | None = None, **settings: float) -> HttpReply:
    async with LoopbackServer(answer) as server:
        rig = WebRig(granted=LOOPBACK, limits=limits)
        return await rig.get(f"http://127.0.0.1:{server.port}/", **settings)


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\x00" * (64 * MEBIBYTE))
    assert len(bomb) < 70_000
    answer = ok(bomb, "Content-Encoding: gzip")
    tracemalloc.start()
    with pytest.raises(LimitExceededError, match="larger"):
        asyncio.run(get(answer))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * MEBIBYTE
    # Where so much is allowed, so much is made of it.
    assert len(asyncio.run(get(answer, HttpLimits(max_body_bytes=64 * MEBIBYTE))).body) == 64 * MEBIBYTE


def test_a_bomb_inside_a_bomb_is_one_layer_too_many() -> None:
    twice = gzip.compress(gzip.compress(b"\x00" * MEBIBYTE))
    with pytest.raises(ResourceUnavailableError, match="not asked for"):
        asyncio.run(get(ok(twice, "Content-Encoding: gzip, gzip")))
    assert len(asyncio.run(get(ok(twice, "Content-Encoding: gzip"))).body) < MEBIBYTE


@pytest.mark.parametrize("framing", ["Transfer-Encoding: chunked", "Connection: close"])
def test_a_body_without_end_is_cut(framing: str) -> None:
    async def endless(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        data = b"a" * 65536
        while True:
            writer.write(b"10000\r\n" + data + b"\r\n" if "chunked" in framing else data)
            await writer.drain()

    with pytest.raises(LimitExceededError, match="larger than 4194304 bytes"):
        asyncio.run(get(endless))


def test_data_that_decompresses_to_nothing_has_an_end_too() -> None:
    async def endless(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n")
        packer = zlib.compressobj(wbits=31)
        writer.write(packer.compress(b""))
        # An empty block, as often as one likes.
        nothing = packer.flush(zlib.Z_FULL_FLUSH) * 10_000
        while True:
            writer.write(nothing)
            await writer.drain()

    with pytest.raises(LimitExceededError) as caught:
        asyncio.run(get(endless))
    assert caught.value.limit == "max_body_bytes"


def test_a_length_that_lies_is_not_believed() -> None:
    assert asyncio.run(get(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef")).body == b"abc"
    with pytest.raises(ResourceUnavailableError):
        asyncio.run(get(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc"))


@pytest.mark.parametrize(
    "lines",
    [b"X: " + b"a" * 40_000 + b"\r\n", b"".join(b"X-%d: aaaaaaaaaaaaaaaa\r\n" % n for n in range(2000))],
    ids=["one", "many"],
)
def test_huge_headers_are_refused(lines: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + lines + b"\r\n"
    with pytest.raises(LimitExceededError) as caught:
        asyncio.run(get(answer))
    assert caught.value.limit == "max_header_bytes"
    assert asyncio.run(get(answer, HttpLimits(max_header_bytes=90_000))).status == 200


def test_headers_without_end_are_cut() -> None:
    async def endless(request: bytes, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
            await writer.drain()

    with pytest.raises(LimitExceededError) as caught:
        asyncio.run(get(endless))
    assert caught.value.limit == "max_header_bytes"


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_a_server_that_never_ends_does_not_hold_the_call(said: bytes) -> None:
    async def attack(is_released: bool) -> HttpReply:
        released = asyncio.Event()
        if is_released:
            released.set()

        async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
            writer.write(said)
            await released.wait()
            writer.write((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcdefghi")[len(said) :])

        return await get(answer, timeout_seconds=30 if is_released else SHORT)

    with pytest.raises(LimitExceededError, match=r"took longer than 0\.05 s"):
        asyncio.run(attack(is_released=False))
    assert asyncio.run(attack(is_released=True)).body == b"abcdefghi"


def test_a_server_that_drips_is_held_to_the_whole_time() -> None:
    async def drip(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(b"a")
            await writer.drain()
            # As slow as the loop can be without a clock.
            await asyncio.sleep(0)

    with pytest.raises(LimitExceededError) as caught:
        asyncio.run(get(drip, timeout_seconds=SHORT))
    assert caught.value.limit == "timeout_seconds"


def test_a_name_that_is_never_answered_does_not_hold_the_call() -> None:
    async def attack() -> None:
        async def never(endpoint: object) -> list[object]:
            await asyncio.Event().wait()
            return []

        rig = WebRig(connect_seconds=SHORT)
        rig.connector._resolve = never  # type: ignore[assignment] # a resolver that hangs
        with pytest.raises(ResourceUnavailableError) as caught:
            await rig.get("http://slow.example/")
        assert caught.value.reason == "busy"

    asyncio.run(attack())


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.6\r\n", b"-ERR unknown command\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"\x16\x03\x01\x00\x00", b"",
     b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\nX\x00Y: 1\r\n\r\n"],
)  # fmt: skip
def test_what_is_no_http_is_an_error_without_its_words(answer: bytes) -> None:
    with pytest.raises(ResourceUnavailableError) as caught:
        asyncio.run(get(answer))
    assert "ERR" not in str(caught.value)
    assert "SSH" not in str(caught.value)


def test_a_connection_that_is_reset_is_an_error() -> None:
    async def reset(request: bytes, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    with pytest.raises(ResourceUnavailableError, match="broke the connection off"):
        asyncio.run(get(reset))


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"abc")[:-4], gzip.compress(b"abc") + b"more"])
def test_what_is_no_gzip_is_an_error(body: bytes) -> None:
    with pytest.raises(ResourceUnavailableError):
        asyncio.run(get(ok(body, "Content-Encoding: gzip")))


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "idna", "punycode", "rot13", "zip", "utf-7", "undefined", "../x"]
)
def test_a_server_cannot_choose_a_codec_that_is_none(charset: str) -> None:
    reply = asyncio.run(get(ok(b"abc", f"Content-Type: text/plain; charset={charset}")))
    with pytest.raises(ResourceUnavailableError) as caught:
        reply.text()
    assert caught.value.reason == "not_text"


def test_json_that_is_deep_or_none_is_an_error() -> None:
    for body in (b"[" * 100_000, b"{", b"NaN", b"\xff", b""):
        with pytest.raises(ResourceUnavailableError):
            HttpReply(200, {}, body, "").json()
