"""Lines out of chunks."""

from __future__ import annotations

import tracemalloc

import pytest

from mcp_server.protocol.jsonrpc.line_framer import HEAD_BYTES, LineFramer
from mcp_server.protocol.jsonrpc.refused_frame import RefusedFrame


def test_several_lines_in_one_chunk() -> None:
    assert LineFramer().feed(b"a\nb\nc\n") == [b"a", b"b", b"c"]


def test_a_line_in_many_chunks_is_joined() -> None:
    framer = LineFramer()
    assert [framer.feed(bytes([byte])) for byte in b"abc\n"] == [[], [], [], [b"abc"]]
    assert framer.buffered_bytes == 0


def test_carriage_returns_before_the_newline_are_dropped_even_when_cut_apart() -> None:
    framer = LineFramer()
    assert framer.feed(b"a\r\nb\r") == [b"a"]
    assert framer.feed(b"\nc\n") == [b"b", b"c"]


def test_a_carriage_return_inside_a_line_stays() -> None:
    assert LineFramer().feed(b"a\rb\n") == [b"a\rb"]


def test_empty_lines_and_chunks_are_ignored() -> None:
    framer = LineFramer()
    assert framer.feed(b"") == []
    assert framer.feed(b"\n\r\n\n") == []
    assert framer.finish() == []


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_the_longest_line_passes_and_one_byte_more_does_not(size: int) -> None:
    stream = b"12345678\r\n123456789\nab\n"
    framer = LineFramer(max_frame_bytes=8)
    frames = [frame for start in range(0, len(stream), size) for frame in framer.feed(stream[start : start + size])]
    assert [frame if isinstance(frame, bytes) else "refused" for frame in frames] == [b"12345678", "refused", b"ab"]


def test_an_over_long_line_is_reported_once_and_at_once() -> None:
    framer = LineFramer(max_frame_bytes=4)
    assert framer.feed(b'{"id":7') == [RefusedFrame(b'{"id":7', 4)]
    assert framer.feed(b"x" * 100) == []
    assert framer.feed(b"still the same line\nok\n") == [b"ok"]


def test_an_over_long_line_is_not_kept() -> None:
    framer = LineFramer(max_frame_bytes=64 * 1024)
    chunk = b"x" * 32 * 1024
    framer.feed(chunk)
    tracemalloc.start()
    try:
        refused = [frame for _ in range(500) for frame in framer.feed(chunk)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(refused) == 1
    assert framer.buffered_bytes == 0
    assert peak < 512 * 1024


def test_of_a_refused_line_only_the_head_is_kept() -> None:
    (frame,) = LineFramer(max_frame_bytes=10_000).feed(b"y" * 20_000 + b"\n")
    assert isinstance(frame, RefusedFrame)
    assert len(frame.head) == HEAD_BYTES
    assert "yyy" not in repr(frame)


def test_the_end_of_the_stream_ends_the_last_line() -> None:
    framer = LineFramer(max_frame_bytes=3)
    framer.feed(b"abc\r")
    assert framer.finish() == [b"abc"]
    assert framer.finish() == []


def test_a_line_one_byte_too_long_is_refused_at_the_end_of_the_stream() -> None:
    framer = LineFramer(max_frame_bytes=3)
    assert framer.feed(b"abcd") == [RefusedFrame(b"abcd", 3)]
    assert framer.finish() == []


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        LineFramer(max_frame_bytes=0)
