"""However a stream is cut, its frames are the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.protocol.jsonrpc.line_framer import LineFramer
from mcp_server.protocol.jsonrpc.refused_frame import RefusedFrame

LIMIT = 6
STREAMS = st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r", b"\r\n", b"{}", b"xxxxxx"]), max_size=30).map(b"".join)


def frames(chunks: list[bytes]) -> list[bytes | str]:
    framer = LineFramer(max_frame_bytes=LIMIT)
    found = [frame for chunk in chunks for frame in framer.feed(chunk)] + framer.finish()
    assert framer.buffered_bytes == 0
    return ["refused" if isinstance(frame, RefusedFrame) else frame for frame in found]


def plainly(stream: bytes) -> list[bytes | str]:
    """The same, as one would write it without caring for memory."""
    lines = [line.removesuffix(b"\r") for line in stream.split(b"\n")]
    return [line if len(line) <= LIMIT else "refused" for line in lines if line]


@given(STREAMS, st.lists(st.integers(0, 60), max_size=8))
def test_any_cutting_gives_the_same_frames(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    chunks = [stream[start:end] for start, end in pairwise(edges)]
    assert frames(chunks) == plainly(stream)
    assert frames([bytes([byte]) for byte in stream]) == plainly(stream)


@given(STREAMS)
def test_never_more_than_the_limit_is_held(stream: bytes) -> None:
    framer = LineFramer(max_frame_bytes=LIMIT)
    for byte in stream:
        framer.feed(bytes([byte]))
        assert framer.buffered_bytes <= LIMIT + 1
