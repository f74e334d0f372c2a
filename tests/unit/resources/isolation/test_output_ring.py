"""What is kept of a stream is its end, and every part of that can be had again."""

from __future__ import annotations

import pytest

from mcp_server.resources.isolation.output_ring import OutputRing


def ring_of(data: bytes, keep_bytes: int = 100) -> OutputRing:
    ring = OutputRing(keep_bytes)
    ring.add(data)
    return ring


def test_everything_is_kept_that_fits() -> None:
    ring = ring_of(b"abc")
    assert (ring.first, ring.seen_bytes) == (0, 3)
    assert ring.text(0, 10, is_whole=True) == ("abc", 0, 3)
    assert ring.text(1, 1, is_whole=True) == ("b", 1, 2)


def test_the_end_is_kept_of_what_does_not() -> None:
    ring = OutputRing(4)
    for piece in (b"ab", b"cde", b"f", b"", b"ghijklmn"):
        ring.add(piece)
    assert (ring.first, ring.seen_bytes) == (10, 14)
    assert ring.text(0, 100, is_whole=True) == ("klmn", 10, 14)
    assert ring.text(12, 100, is_whole=True) == ("mn", 12, 14)


def test_nothing_comes_after_the_end() -> None:
    assert ring_of(b"abc").text(3, 10, is_whole=True) == ("", 3, 3)


def test_a_flood_takes_no_more_memory_than_what_is_kept() -> None:
    ring = OutputRing(1 << 16)
    for _ in range(1000):
        ring.add(bytes(1 << 16))
        assert ring._data.__sizeof__() < 3 << 16
    assert ring.seen_bytes == 1000 << 16


def test_small_pieces_take_no_more_memory_than_large_ones() -> None:
    ring = OutputRing(1 << 12)
    for number in range(1 << 14):
        ring.add(number.to_bytes(2, "big"))
    assert ring._data.__sizeof__() < 3 << 12


@pytest.mark.parametrize("at", range(1, 5))
def test_a_character_is_never_cut(at: int) -> None:
    ring = ring_of("ä€😀".encode())
    text, begin, end = ring.text(0, at + 3, is_whole=False)
    rest, again, last = ring.text(end, 100, is_whole=False)
    assert (text + rest, begin, again, last) == ("ä€😀", 0, end, 9)


def test_half_a_character_waits_for_its_other_half() -> None:
    ring = ring_of("€".encode()[:2])
    assert ring.text(0, 10, is_whole=False) == ("", 0, 0)
    ring.add("€".encode()[2:])
    assert ring.text(0, 10, is_whole=False) == ("€", 0, 3)


def test_half_a_character_at_the_end_of_the_stream_is_told() -> None:
    assert ring_of(b"a\xe2\x82").text(0, 10, is_whole=True) == ("a�", 0, 3)


def test_half_a_character_in_the_middle_of_a_stream_that_has_ended_is_left_for_the_next_page() -> None:
    assert ring_of("aaa€".encode()).text(0, 4, is_whole=True) == ("aaa", 0, 3)


def test_what_is_no_text_is_told_as_that() -> None:
    assert ring_of(b"a\xffb").text(0, 10, is_whole=False) == ("a�b", 0, 3)
