"""Where the keys of an issuer come from."""

from __future__ import annotations

from typing import Protocol

from mcp_server.security.authentication.key_sets.key_set import KeySet


class KeySource(Protocol):
    """The keys of one issuer as they are known now.

    Verifying a token waits for nothing: a source answers with what it has, and gets what it lacks at another time.

    >>> from mcp_server.security.authentication.key_sets.inline_key_source import InlineKeySource
    >>> source: KeySource = InlineKeySource(KeySet())
    >>> source.has_changed()
    False
    """

    def keys(self) -> KeySet:
        """Return the keys that are in force.

        Raises:
            LookupError: None are known, or what was known is too old to be relied on.
        """
        ...

    def missed(self) -> None:
        """Hear that a token named a key that is not there; the source may look for newer ones, in its own time."""
        ...

    def has_changed(self) -> bool:
        """Look, if that is cheap, whether the keys are others than at the last call; called once a second."""
        ...
