"""Keys that stand in the policy file itself."""

from __future__ import annotations

from mcp_server.security.authentication.key_sets.key_set import KeySet


class InlineKeySource:
    """Public keys that change when the policy does.

    Args:
        keys: The keys.

    >>> InlineKeySource(KeySet()).keys().keys == {}
    True
    """

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def keys(self) -> KeySet:
        """Return the keys."""
        return self._keys

    def missed(self) -> None:
        """Hear that a key was missing; there are no others to be had."""

    def has_changed(self) -> bool:
        """Return that they are the same: another policy has another source."""
        return False
