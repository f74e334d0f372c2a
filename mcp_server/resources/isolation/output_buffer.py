"""Keeping the beginning and the end of a stream."""

from __future__ import annotations

from collections import deque
from typing import Final

from mcp_server.resources.isolation.captured_output import CapturedOutput

FLOOD_FACTOR: Final = 16
"""A stream so many times longer than what is kept of it is a flood: nobody will read it, and it is stopped."""

JOINED_BYTES: Final = 4096
"""What is held is in pieces of this length at least, or of an eighth of what is kept."""


class OutputBuffer:
    """Take a stream piece by piece; keep the first half of what may be kept, and the last.

    Args:
        keep_bytes: How much is kept.

    >>> buffer = OutputBuffer(4)
    >>> for piece in (b"abc", b"defg", b"h"):
    ...     buffer.add(piece)
    >>> buffer.captured()
    CapturedOutput(head=b'ab', tail=b'gh', seen_bytes=8)
    """

    __slots__ = ("_head", "_head_room", "_joined", "_tail", "_tail_bytes", "_tail_room", "seen_bytes")

    def __init__(self, keep_bytes: int) -> None:
        self._head_room = keep_bytes // 2
        self._tail_room = keep_bytes - self._head_room
        self._joined = min(JOINED_BYTES, self._tail_room // 8)
        self._head = bytearray()
        self._tail: deque[bytearray] = deque()
        self._tail_bytes = 0
        self.seen_bytes = 0

    @property
    def is_flood(self) -> bool:
        """Whether so much came that nobody will read it."""
        return self.seen_bytes > FLOOD_FACTOR * (self._head_room + self._tail_room)

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self.seen_bytes += len(piece)
        room = self._head_room - len(self._head)
        if room > 0:
            self._head += piece[:room]
            piece = piece[room:]
        if piece:
            # Tiny pieces are put together: each by itself would cost many times its size.
            if self._tail and len(self._tail[-1]) < self._joined:
                self._tail[-1] += piece
            else:
                self._tail.append(bytearray(piece))
            self._tail_bytes += len(piece)
            while self._tail_bytes - len(self._tail[0]) >= self._tail_room:
                self._tail_bytes -= len(self._tail.popleft())

    def captured(self) -> CapturedOutput:
        """Return what was kept."""
        tail = b"".join(self._tail)[-self._tail_room :]
        return CapturedOutput(bytes(self._head), tail, self.seen_bytes)
