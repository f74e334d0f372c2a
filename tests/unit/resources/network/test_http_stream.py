from __future__ import annotations

import asyncio
import ssl

import pytest
from httpcore2 import ReadError, WriteError

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.network.http_stream import HttpStream


class BrokenWriter:
    """Refuses to write."""

    def write(self, data: bytes) -> None:
        raise ConnectionResetError("gone")


def test_bytes_are_counted_and_allowed_anew() -> None:
    async def use() -> list[bytes]:
        reader = asyncio.StreamReader()
        reader.feed_data(b"abcdef")
        reader.feed_eof()
        stream = HttpStream(reader, BrokenWriter(), allowance=2, limit="first")  # type: ignore[arg-type] # not written to
        read = [await stream.read(10)]
        with pytest.raises(LimitExceededError) as caught:
            await stream.read(10)
        assert caught.value.limit == "first"
        stream.allow(3, "second")
        return [*read, await stream.read(2), await stream.read(10)]

    assert asyncio.run(use()) == [b"ab", b"cd", b"e"]


def test_a_broken_connection_is_the_librarys_error() -> None:
    async def use() -> None:
        reader = asyncio.StreamReader()
        reader.set_exception(ConnectionResetError("gone"))
        stream = HttpStream(reader, BrokenWriter(), allowance=2, limit="x")  # type: ignore[arg-type] # breaks at once
        with pytest.raises(ReadError):
            await stream.read(1)
        with pytest.raises(WriteError):
            await stream.write(b"a")

    asyncio.run(use())


def test_it_makes_no_tls_of_its_own() -> None:
    async def use() -> None:
        stream = HttpStream(asyncio.StreamReader(), BrokenWriter(), allowance=2, limit="x")  # type: ignore[arg-type] # unused
        assert stream.get_extra_info("socket") is None
        with pytest.raises(NotImplementedError):
            await stream.start_tls(ssl.create_default_context())

    asyncio.run(use())
