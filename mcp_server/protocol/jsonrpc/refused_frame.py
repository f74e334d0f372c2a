"""What the framer hands on instead of a line that was too long."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RefusedFrame:
    """A line that passed the limit: its beginning, never the whole of it.

    The codec turns it into an `InvalidMessage`, so that whoever waits for an answer gets one; the beginning is kept
    because the request's id usually stands there.

    Args:
        head: The first bytes of the line.
        max_frame_bytes: The limit it passed, in bytes.

    >>> RefusedFrame(b'{"id":1', 4).max_frame_bytes
    4
    """

    head: bytes = field(repr=False)
    max_frame_bytes: int
