"""Decompression that ends where it should."""

from __future__ import annotations

import zlib
from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError

# What `zlib` is told to expect: the header of gzip, or that of zlib. Source: RFC 9110, 8.4.1.
_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class BodyDecoder:
    """Collect a body, decompressed, and stop at the bound: what a gzip bomb would become is never made.

    Args:
        encoding: The `Content-Encoding`, empty for none.
        max_bytes: Most bytes of the result.

    Raises:
        ResourceUnavailableError: The encoding is none that was asked for, or several on top of each other.

    >>> decoder = BodyDecoder("gzip", max_bytes=1000)
    >>> decoder.feed(zlib.compress(b"a" * 1_000_000, wbits=31))
    Traceback (most recent call last):
    mcp_server.errors.limit_exceeded_error.LimitExceededError: the answer is larger than 1000 bytes; ask for less
    """

    def __init__(self, encoding: str, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._body = bytearray()
        self._is_empty = True
        name = encoding.strip().lower()
        self._inflater = None
        if name not in ("", "identity"):
            if name not in _WINDOWS:
                raise ResourceUnavailableError("io", "the answer is compressed in a way that was not asked for")
            self._inflater = zlib.decompressobj(wbits=_WINDOWS[name])

    def feed(self, data: bytes) -> None:
        """Take the next bytes as they came.

        Raises:
            LimitExceededError: The body has grown past its bound.
            ResourceUnavailableError: It is not what it says it is.
        """
        if not data:
            return
        self._is_empty = False
        if self._inflater is None:
            self._add(data)
            return
        try:
            # One more than there is room for, so that too much is told from just enough.
            self._add(self._inflater.decompress(data, self._max_bytes - len(self._body) + 1))
        except zlib.error as error:
            raise ResourceUnavailableError("io", "the answer cannot be decompressed") from error
        if self._inflater.unused_data:
            raise ResourceUnavailableError("io", "something follows the compressed answer")

    def finish(self) -> bytes:
        """Return the whole body.

        Raises:
            ResourceUnavailableError: The compressed data ended in the middle.
        """
        if self._inflater is not None and not self._inflater.eof and not self._is_empty:
            raise ResourceUnavailableError("io", "the answer ended in the middle")
        return bytes(self._body)

    def _add(self, data: bytes) -> None:
        if len(self._body) + len(data) > self._max_bytes:
            raise LimitExceededError(
                "max_body_bytes", f"the answer is larger than {self._max_bytes} bytes; ask for less"
            )
        self._body += data
