"""Keeping the end of a stream, addressed by how far into the stream it lies."""

from __future__ import annotations

import codecs


class OutputRing:
    """Take a stream piece by piece; keep the last of it, and hand out any part of that as text.

    Args:
        keep_bytes: How much is kept.

    >>> ring = OutputRing(4)
    >>> ring.add(b"abcdef")
    >>> ring.seen_bytes, ring.first
    (6, 2)
    >>> ring.text(0, 3, is_whole=True)
    ('cde', 2, 5)
    """

    __slots__ = ("_data", "_keep_bytes", "seen_bytes")

    def __init__(self, keep_bytes: int) -> None:
        self._keep_bytes = keep_bytes
        self._data = bytearray()
        self.seen_bytes = 0

    @property
    def first(self) -> int:
        """The offset of the first byte that is kept."""
        return self.seen_bytes - len(self._data)

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.seen_bytes += len(piece)
        self._data += piece
        # Taking from the front of a bytearray moves nothing.
        del self._data[: -self._keep_bytes]

    def text(self, offset: int, max_bytes: int, *, is_whole: bool) -> tuple[str, int, int]:
        """Return text from an offset on, where it begins, and where the next begins; what is no UTF-8 becomes U+FFFD.

        A character is not cut: one that is not there as a whole is left for the next time.

        Args:
            offset: Where to begin; what lies before `first` is not there any more, and is skipped.
            max_bytes: How much at most; the four bytes of the longest character at least, or nothing may ever come.
            is_whole: Whether the stream has ended, so that half a character at its end will never be a whole one.
        """
        begin = max(offset, self.first)
        at = begin - self.first
        data = bytes(self._data[at : at + max_bytes])
        end = begin + len(data)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data, final=is_whole and end >= self.seen_bytes)
        return text, begin, end - len(decoder.getstate()[0])
