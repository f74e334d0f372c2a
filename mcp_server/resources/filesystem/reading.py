"""Reading an open file without trusting its size."""

from __future__ import annotations

import os
from typing import Final

_END_BYTES: Final = 4096
_CHUNK_BYTES: Final = 1024 * 1024


def read_at_most(descriptor: int, offset: int, most: int, expected: int) -> tuple[bytes, bool]:
    """Read up to `most` bytes, and one more to know whether there are more; trusts no size that was announced.

    Args:
        descriptor: Of a file that can be read.
        offset: The first byte wanted.
        most: Most bytes wanted.
        expected: The announced size.

    >>> import tempfile
    >>> with tempfile.TemporaryFile() as stream:
    ...     _ = stream.write(b"hello"), stream.flush()
    ...     read_at_most(stream.fileno(), 1, 3, 5)
    (b'ell', True)
    """
    # Asking for a little more than the announced size lets one call find the end of a small file.
    chunk = min(most, max(0, expected - offset), _CHUNK_BYTES) + 1
    chunks: list[bytes] = []
    received = 0
    while received <= most:
        asked = min(chunk, most + 1 - received)
        data = os.pread(descriptor, asked, offset + received)
        if not data:
            break
        chunks.append(data)
        received += len(data)
        # Less than was asked for is the end, nearly always: no room for much is made to see it.
        chunk = _CHUNK_BYTES if len(data) == asked else _END_BYTES
    data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    return (data[:most], True) if received > most else (data, False)
