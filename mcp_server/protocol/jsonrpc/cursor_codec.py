"""Where a listing goes on, in a form the client can carry and not change."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode

MIN_KEY_BYTES: Final = 16
MAX_CURSOR_LENGTH: Final = 128
"""Longer than any cursor made here; what is longer is refused before it is decoded."""

TAG_BYTES: Final = 16
"""128 bits of a SHA-256 tag: nobody guesses that through a server that answers each try (RFC 2104, section 5)."""


class CursorCodec:
    """Makes and reads `cursor` values that say after how many entries a listing goes on.

    A cursor is bound to its method and to a fingerprint of the listing: one that was changed, made up, made by another
    server run, for another list, or for a list that has changed since, is refused; the client lists again from the
    start. It carries no secret and grants nothing: every page is filtered for its reader anyway.

    The empty text is a cursor like any other to the protocol (a client must send back even that). This server never
    issues it, so it is refused like everything else that was not issued here.

    Args:
        key: The secret of this process, at least 16 random bytes.

    Raises:
        ValueError: The key is too short.

    Source: MCP 2025-11-25, server/utilities/pagination.

    >>> codec = CursorCodec(b"0" * 16)
    >>> codec.decode(codec.encode(50, method="tools/list", fingerprint="v1"), method="tools/list", fingerprint="v1")
    50
    >>> codec.decode("AAAA", method="tools/list", fingerprint="v1")
    Traceback (most recent call last):
    ...
    mcp_server.errors.protocol_error.ProtocolError: the cursor is not valid (any more); list again without one
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the key must have at least {MIN_KEY_BYTES} bytes")
        self._key = key

    def encode(self, position: int, *, method: str, fingerprint: str) -> str:
        """Return the cursor for a position.

        Args:
            position: How many entries were listed already, 0 to 2**63 - 1.
            method: The listing's method, such as `tools/list`.
            fingerprint: Changes whenever the listing does: its epoch, and whatever it was filtered by.
        """
        payload = position.to_bytes(8, "big")
        return urlsafe_b64encode(payload + self._tag(payload, method, fingerprint)).rstrip(b"=").decode("ascii")

    def decode(self, cursor: object, *, method: str, fingerprint: str) -> int:
        """Return the position of a cursor.

        Args:
            cursor: What the client sent, unchecked.
            method: The listing's method.
            fingerprint: The listing's fingerprint now.

        Raises:
            ProtocolError: -32602; the cursor was not made here for this listing.
        """
        if type(cursor) is str and len(cursor) <= MAX_CURSOR_LENGTH and cursor.isascii():
            try:
                raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            except ValueError:
                raw = b""
            payload = raw[:8]
            expected = self._tag(payload, method, fingerprint)
            # The second comparison refuses other spellings of the same bytes: the decoder skips foreign characters.
            if hmac.compare_digest(raw[8:], expected):
                position = int.from_bytes(payload, "big")
                if hmac.compare_digest(cursor, self.encode(position, method=method, fingerprint=fingerprint)):
                    return position
        raise ProtocolError(ErrorCode.INVALID_PARAMS, "the cursor is not valid (any more); list again without one")

    def _tag(self, payload: bytes, method: str, fingerprint: str) -> bytes:
        # Lengths first, so that no two triples give the same text.
        parts = (method.encode(), fingerprint.encode(), payload)
        text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.new(self._key, text, hashlib.sha256).digest()[:TAG_BYTES]
