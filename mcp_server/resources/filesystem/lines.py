"""The first and the last lines of a file, without reading the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.filesystem.file_content import FileContent

CHUNK_BYTES: Final = 64 * 1024

# Reads that many bytes from that offset on.
PartReader = Callable[[int, int], FileContent]


def first_lines(read: PartReader, lines: int, *, max_bytes: int) -> bytes:
    r"""Return the first `lines` lines with their ends.

    Args:
        read: Reads a part.
        lines: How many.
        max_bytes: Most bytes looked at.

    Raises:
        LimitExceededError: They are longer than `max_bytes`.

    >>> text = b"a\nb\nc"
    >>> def read(offset, most):
    ...     return FileContent(text[offset : offset + most], len(text), 0.0, offset, offset + most < len(text))
    >>> first_lines(read, 2, max_bytes=100)
    b'a\nb\n'
    """
    data = b""
    left = lines
    at = 0
    while left > 0:
        content = read(len(data), CHUNK_BYTES)
        data += content.data
        while left > 0 and (end := data.find(b"\n", at)) >= 0:
            at = end + 1
            left -= 1
        if left == 0:
            break
        if not content.truncated:
            return data
        if len(data) >= max_bytes:
            raise LimitExceededError("max_read_bytes", f"the lines are longer than {max_bytes} bytes; ask for fewer")
    return data[:at]


def last_lines(read: PartReader, lines: int, *, size: int, max_bytes: int) -> bytes:
    r"""Return the last `lines` lines with their ends, reading from the end backwards.

    Args:
        read: Reads a part.
        lines: How many.
        size: Where the file ends.
        max_bytes: Most bytes looked at.

    Raises:
        LimitExceededError: They are longer than `max_bytes`.

    >>> text = b"a\nb\nc\n"
    >>> def read(offset, most):
    ...     return FileContent(text[offset : offset + most], len(text), 0.0, offset, offset + most < len(text))
    >>> last_lines(read, 2, size=6, max_bytes=100)
    b'b\nc\n'
    """
    if lines <= 0:
        return b""
    data = b""
    start = size
    while True:
        # The end of the last line is not the start of another.
        position = len(data) - 1 if data.endswith(b"\n") else len(data)
        left = lines
        while left > 0 and (position := data.rfind(b"\n", 0, position)) >= 0:
            left -= 1
        if left == 0:
            return data[position + 1 :]
        if start == 0:
            return data
        if len(data) >= max_bytes:
            raise LimitExceededError("max_read_bytes", f"the lines are longer than {max_bytes} bytes; ask for fewer")
        following = max(0, start - max(CHUNK_BYTES, len(data)))
        data = read(following, start - following).data + data
        start = following
