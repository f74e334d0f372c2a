"""Whoever follows a stream page by page reads all of it, once, whatever the pages and the pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.isolation.output_ring import OutputRing


@given(st.lists(st.binary(max_size=20)), st.integers(4, 30))
def test_pages_are_the_stream(pieces: list[bytes], page_bytes: int) -> None:
    ring, text, offset = OutputRing(1 << 20), "", 0
    for piece in pieces:
        ring.add(piece)
        part, begin, end = ring.text(offset, page_bytes, is_whole=False)
        assert offset == begin <= end <= begin + page_bytes
        text, offset = text + part, end
    while offset < ring.seen_bytes:
        part, begin, end = ring.text(offset, page_bytes, is_whole=True)
        assert offset == begin < end
        text, offset = text + part, end
    assert text == b"".join(pieces).decode("utf-8", "replace")


@given(st.lists(st.binary(max_size=20)), st.integers(1, 30), st.integers(0, 100), st.integers(4, 30))
def test_a_page_is_what_lies_there(pieces: list[bytes], keep: int, offset: int, page_bytes: int) -> None:
    ring, whole = OutputRing(keep), b"".join(pieces)
    for piece in pieces:
        ring.add(piece)
    offset = min(offset, len(whole))
    text, begin, end = ring.text(offset, page_bytes, is_whole=True)
    assert ring.seen_bytes == len(whole)
    assert ring.first == max(0, len(whole) - keep)
    assert begin == max(offset, ring.first)
    assert text == whole[begin:end].decode("utf-8", "replace")
