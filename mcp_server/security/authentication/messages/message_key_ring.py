"""Whose keys sign messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mcp_server.security.authentication.jose.verification_key import VerificationKey
    from mcp_server.security.authentication.key_sets.key_source import KeySource

MAX_KEYS_EACH: Final = 2
"""Of one client at a time: the one that signs, and the one before it or after it, while they are exchanged."""


class MessageKeyRing:
    """Find the key of a key id, and the client that it belongs to.

    Args:
        sources: Where the keys of each client come from, by the clients' names.

    >>> MessageKeyRing({}).find("a")
    Traceback (most recent call last):
    LookupError: no key of this id
    """

    def __init__(self, sources: Mapping[str, KeySource]) -> None:
        self._sources = dict(sources)

    @property
    def watched(self) -> Iterable[Callable[[], bool]]:
        """What looks whether keys have changed."""
        return [source.has_changed for source in self._sources.values()]

    def find(self, key_id: str) -> tuple[str, VerificationKey]:
        """Return the client's name, and the key.

        Raises:
            LookupError: There is no such key, or two clients have one of this id.
        """
        found: list[tuple[str, VerificationKey]] = []
        for owner, source in self._sources.items():
            try:
                key = source.keys().keys.get(key_id)
            except LookupError:
                # The keys of this client are gone; those of others are not.
                continue
            if key is not None:
                found.append((owner, key))
        if len(found) != 1:
            raise LookupError("more than one key of this id" if found else "no key of this id")
        return found[0]
