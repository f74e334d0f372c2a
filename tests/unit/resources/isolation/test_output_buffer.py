from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.isolation.captured_output import CapturedOutput
from mcp_server.resources.isolation.output_buffer import FLOOD_FACTOR, OutputBuffer


def model(stream: bytes, keep: int) -> CapturedOutput:
    """What is kept of a whole stream, written so that it can be seen at once."""
    head = stream[: keep // 2]
    rest = stream[keep // 2 :]
    return CapturedOutput(head, rest[-(keep - keep // 2) :], len(stream))


def captured(pieces: list[bytes], keep: int) -> CapturedOutput:
    buffer = OutputBuffer(keep)
    for piece in pieces:
        buffer.add(piece)
    return buffer.captured()


@given(st.lists(st.binary(max_size=12), max_size=20), st.integers(1, 40))
def test_however_a_stream_is_cut_the_same_is_kept(pieces: list[bytes], keep: int) -> None:
    assert captured(pieces, keep) == model(b"".join(pieces), keep)


@given(st.lists(st.binary(max_size=50), max_size=30), st.integers(1, 40))
def test_what_is_held_is_bounded_at_any_moment(pieces: list[bytes], keep: int) -> None:
    buffer = OutputBuffer(keep)
    for piece in pieces:
        buffer.add(piece)
        # One piece more than is kept, which is not cut before it is asked for, and may have been joined to another.
        assert len(buffer._head) + sum(map(len, buffer._tail)) < keep + max(map(len, pieces)) + keep // 8 + 1


def test_tiny_pieces_cost_no_more_than_large_ones() -> None:
    buffer = OutputBuffer(1 << 20)
    for _ in range(1 << 20):
        buffer.add(b"x")
    assert len(buffer._tail) < 200


@pytest.mark.parametrize(
    ("keep", "shown"), [(1, (b"", b"c")), (2, (b"a", b"c")), (3, (b"a", b"bc")), (4, (b"ab", b"c"))]
)
def test_the_smallest_bounds(keep: int, shown: tuple[bytes, bytes]) -> None:
    found = captured([b"abc"], keep)
    assert (found.head, found.tail) == shown


def test_a_flood_is_so_many_times_what_is_kept() -> None:
    buffer = OutputBuffer(10)
    buffer.add(b"x" * 10 * FLOOD_FACTOR)
    assert not buffer.is_flood
    buffer.add(b"x")
    assert buffer.is_flood
    assert buffer.captured().seen_bytes == 10 * FLOOD_FACTOR + 1


def test_nothing_is_captured_of_nothing() -> None:
    assert captured([], 10) == CapturedOutput()
    assert captured([b""], 10) == CapturedOutput()
