"""Output of a program as progress of its call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext

MAX_PIECE_BYTES: Final = 4096
"""The longest piece a client is sent at once; it sees all of it in the result."""

LEAST_SECONDS: Final = 0.1
"""No more than ten messages a second, however a program prints."""


class OutputProgress:
    """Tell the client what a program prints while it runs, where it asked for progress.

    Args:
        client: The call.
        clock: Monotonic seconds.
    """

    def __init__(self, client: ClientContext, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._told_at = -LEAST_SECONDS
        self._seen_bytes = 0
        self._untold = bytearray()

    def add(self, stream: str, piece: bytes) -> None:
        """Take a piece of output."""
        self._seen_bytes += len(piece)
        self._untold += piece[-MAX_PIECE_BYTES:]
        del self._untold[:-MAX_PIECE_BYTES]
        now = self._clock()
        if now - self._told_at >= LEAST_SECONDS:
            self._told_at = now
            text = self._untold.decode("utf-8", "replace")
            self._untold.clear()
            self._client.progress(float(self._seen_bytes), None, text if stream == "stdout" else f"{stream}: {text}")
