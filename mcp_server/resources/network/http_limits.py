"""The bounds of requests over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES
SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one request may take, redirects included.

    Args:
        max_body_bytes: Largest body of an answer, after decompression; a model reads far less.
        max_request_bytes: Largest body of a request.
        max_header_bytes: All header lines of an answer; servers themselves accept 8 to 64 KiB.
        max_redirects: Redirects followed; browsers follow 20, and nobody needs more than a few.
        total_seconds: How long all of it may take, unless the request says otherwise.
        max_total_seconds: The longest that a request may ask for.
        max_concurrent: Requests of one call at once.

    >>> HttpLimits().max_body_bytes // MEBIBYTES
    4
    """

    max_body_bytes: int = 4 * MEBIBYTES
    max_request_bytes: int = 4 * MEBIBYTES
    max_header_bytes: int = 32 * KIBIBYTES
    max_redirects: int = 5
    total_seconds: float = 30 * SECONDS
    max_total_seconds: float = 300 * SECONDS
    max_concurrent: int = 8
