from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_limits import MEBIBYTES, ArchiveLimits
from mcp_server.resources.archives.inflated_stream import PIECE_BYTES, InflatedStream

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "deflate": lambda data: zlib.compress(data)[2:-4],
}
TEXT = b"".join(b"line %d\n" % number for number in range(40_000))


def stream(data: bytes, kind: str, **limits: int) -> InflatedStream:
    return InflatedStream(io.BytesIO(data).read, kind, ArchiveBudget(ArchiveLimits(**limits)))


def everything(found: InflatedStream, size: int = 1_000_000) -> bytes:
    return b"".join(iter(lambda: found.read(size), b""))


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("size", [1_000, PIECE_BYTES, 1_000_000])
def test_what_was_packed_comes_out(kind: str, size: int) -> None:
    assert everything(stream(PACKERS[kind](TEXT), kind), size) == TEXT
    assert everything(stream(PACKERS[kind](b""), kind), size) == b""


@pytest.mark.parametrize("kind", PACKERS)
def test_a_piece_is_never_larger_than_a_piece(kind: str) -> None:
    found = stream(PACKERS[kind](b"\0" * 1_000_000), kind)
    assert 0 < len(found.read(10_000_000)) <= PIECE_BYTES
    assert len(found.read(7)) <= 7
    assert found.read(0) == b""


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
@pytest.mark.parametrize("padding", [0, 4, 100_000])
def test_streams_and_padding_follow_one_another(kind: str, padding: int) -> None:
    data = PACKERS[kind](b"one") + PACKERS[kind](b"two") + b"\0" * padding
    assert everything(stream(data, kind)) == b"onetwo"


def test_nothing_follows_a_single_stream() -> None:
    with pytest.raises(ResourceUnavailableError):
        everything(stream(PACKERS["deflate"](b"one") + b"\0", "deflate"))


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"no" + data, lambda data: b""])
def test_damaged_bytes_are_told(kind: str, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ResourceUnavailableError):
        everything(stream(damage(PACKERS[kind](TEXT)), kind))


@pytest.mark.parametrize("kind", PACKERS)
def test_what_grows_too_much_is_stopped(kind: str) -> None:
    bomb = PACKERS[kind](b"\0" * (20 * MEBIBYTES))
    with pytest.raises(LimitExceededError, match="200 times"):
        everything(stream(bomb, kind))
    assert len(everything(stream(bomb, kind, ratio_from_bytes=30 * MEBIBYTES))) == 20 * MEBIBYTES


@pytest.mark.parametrize("kind", PACKERS)
def test_memory_stays_flat(kind: str) -> None:
    bomb = PACKERS[kind](b"\0" * (30 * MEBIBYTES))
    found = stream(bomb, kind, max_ratio=1_000_000)
    tracemalloc.start()
    try:
        while found.read(PIECE_BYTES):
            pass
        # Of what xz has read, it keeps 8 MiB.
        assert tracemalloc.get_traced_memory()[1] < (9 if kind == "xz" else 1) * MEBIBYTES
    finally:
        tracemalloc.stop()


def test_a_dictionary_that_would_fill_the_memory_is_not_made() -> None:
    data = _with_large_dictionary(lzma.compress(b"x"))
    # It is a stream like any other to who has the memory.
    assert lzma.LZMADecompressor().decompress(data) == b"x"
    with pytest.raises(ResourceUnavailableError):
        everything(stream(data, "xz"))


def _with_large_dictionary(data: bytes) -> bytes:
    """Return a stream of xz whose header asks for a dictionary of 256 MiB."""
    header = bytearray(data[12 : 12 + 4 * (data[12] + 1)])
    # Flags, the filter's number and the size of its properties stand before its one property.
    header[4] = 32
    header[-4:] = zlib.crc32(bytes(header[:-4])).to_bytes(4, "little")
    return data[:12] + bytes(header) + data[12 + len(header) :]


def test_empty_streams_without_end_end_with_the_time() -> None:
    ticks = iter(range(10_000))
    budget = ArchiveBudget(ArchiveLimits(max_seconds=100), clock=lambda: next(ticks))
    found = InflatedStream(io.BytesIO(gzip.compress(b"") * 5_000).read, "gz", budget)
    with pytest.raises(LimitExceededError, match="longer than 100 s"):
        found.read(1)


def test_who_does_not_wait_any_more_stops_it() -> None:
    budget = ArchiveBudget(ArchiveLimits(), is_cancelled=lambda: True)
    with pytest.raises(LimitExceededError, match="taken back"):
        InflatedStream(io.BytesIO(gzip.compress(TEXT)).read, "gz", budget).read(1)
