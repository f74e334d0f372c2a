"""How messages follow each other in a stream of bytes."""

from __future__ import annotations

from typing import Final

LENGTH_BYTES: Final = 4
"""Each message follows its length, in so many bytes, the highest first."""


def framed(message: bytes) -> bytes:
    """Return a message as it goes into the stream.

    >>> framed(b"ab")
    b'\\x00\\x00\\x00\\x02ab'
    """
    return len(message).to_bytes(LENGTH_BYTES, "big") + message
