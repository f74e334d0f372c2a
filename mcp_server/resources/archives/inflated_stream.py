"""What comes out of compressed bytes, piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget

PIECE_BYTES: Final = 64 * 1024
"""What is read, and what comes out, at once: between two pieces the bounds are looked at."""

# The dictionary of `xz -9` is 64 MiB; a header may ask for 4 GiB.
_MAX_XZ_BYTES: Final = 80 * 1024 * 1024


class InflatedStream:
    """Reads forward through what compressed bytes hold; memory stays flat whatever they claim.

    Args:
        source: Reads the next compressed bytes, at most as many as it is told; none at the end.
        kind: `deflate`, `gz`, `bz2` or `xz`.
        budget: Counts what comes out.

    >>> import io
    >>> from mcp_server.resources.archives.archive_limits import ArchiveLimits
    >>> packed = io.BytesIO(zlib.compress(b"hello", wbits=31))
    >>> InflatedStream(packed.read, "gz", ArchiveBudget(ArchiveLimits())).read(100)
    b'hello'
    """

    __slots__ = ("_budget", "_consumed", "_decompressor", "_has_ended", "_kind", "_pending", "_produced", "_source")

    def __init__(self, source: Callable[[int], bytes], kind: str, budget: ArchiveBudget) -> None:
        self._source = source
        self._kind = kind
        self._budget = budget
        self._decompressor = _decompressor(kind)
        self._pending = b""
        self._has_ended = False
        self._produced = 0
        self._consumed = 0

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; none at the end.

        Raises:
            LimitExceededError: A bound was reached.
            ResourceUnavailableError: The bytes are damaged, or end in the middle.
        """
        most = min(size, PIECE_BYTES)
        while not self._has_ended and most > 0:
            self._budget.tick()
            data = self._piece(most)
            if data:
                self._produced += len(data)
                self._budget.produce(len(data), produced=self._produced, consumed=self._consumed)
                return data
        return b""

    def _piece(self, most: int) -> bytes:
        decompressor = self._decompressor
        given = self._pending
        if not given and getattr(decompressor, "needs_input", True):
            given = self._more()
        try:
            data: bytes = decompressor.decompress(given, most)
        except (zlib.error, OSError, EOFError, _lzma_error(self._kind)) as error:
            raise _damaged() from error
        self._pending = getattr(decompressor, "unconsumed_tail", b"")
        if decompressor.eof:
            self._follow(decompressor.unused_data)
        elif not data and not given and getattr(decompressor, "needs_input", True):
            raise _damaged()
        return data

    def _follow(self, rest: bytes) -> None:
        """Go on with another stream behind this one, as those programs do that pack in parallel; zeros are padding."""
        if self._kind == "deflate":
            if rest:
                raise _damaged()
            self._has_ended = True
            return
        while not (rest := rest.lstrip(b"\0")):
            self._budget.tick()
            rest = self._more()
            if not rest:
                self._has_ended = True
                return
        self._pending = rest
        self._decompressor = _decompressor(self._kind)

    def _more(self) -> bytes:
        data = self._source(PIECE_BYTES)
        self._consumed += len(data)
        return data


def _decompressor(kind: str) -> Any:
    if kind == "bz2":
        import bz2

        return bz2.BZ2Decompressor()
    if kind == "xz":
        import lzma

        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MAX_XZ_BYTES)
    return zlib.decompressobj({"gz": 31, "deflate": -15}[kind])


def _lzma_error(kind: str) -> type[Exception]:
    if kind != "xz":
        return zlib.error
    import lzma

    return lzma.LZMAError


def _damaged() -> ResourceUnavailableError:
    return ResourceUnavailableError("io", "what is compressed in it is damaged, or ends too early")
