"""Tokens that were verified a moment ago."""

from __future__ import annotations

from typing import Final

from mcp_server.security.authentication.tokens.verified_token import VerifiedToken

MAX_ENTRIES: Final = 4096
"""Tokens that are remembered, about 2 MiB; a client uses one at a time."""


class VerifiedTokenCache:
    """Remember what tokens said, by the digest of their exact text, so that a signature is computed once.

    An entry belongs to one epoch of keys and revocations, and dies with it, and with its token. The text is not kept.

    Args:
        max_entries: How many are remembered; when there are more, the oldest goes.

    >>> cache = VerifiedTokenCache()
    >>> token = VerifiedToken("https://as.example", "ada", "desk", "t1", issued_at=0, expires_at=60)
    >>> cache.put(b"digest", 1, token)
    >>> cache.get(b"digest", 1, now=59.0) is token, cache.get(b"digest", 2, now=59.0)
    (True, None)
    """

    def __init__(self, *, max_entries: int = MAX_ENTRIES) -> None:
        self._max_entries = max_entries
        self._entries: dict[bytes, tuple[int, VerifiedToken]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, digest: bytes, epoch: int, *, now: float) -> VerifiedToken | None:
        """Return what the token of this digest said, None when that is not known or does not hold any more.

        Args:
            digest: SHA-256 of the token's text.
            epoch: The epoch of keys and revocations.
            now: Seconds since 1970.
        """
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if entry[0] == epoch and now < entry[1].expires_at:
            return entry[1]
        del self._entries[digest]
        return None

    def put(self, digest: bytes, epoch: int, token: VerifiedToken) -> None:
        """Remember a token that was verified in this epoch."""
        if digest not in self._entries and len(self._entries) >= self._max_entries:
            del self._entries[next(iter(self._entries))]
        self._entries[digest] = (epoch, token)
