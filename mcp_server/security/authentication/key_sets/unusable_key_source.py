"""Keys that could not be had."""

from __future__ import annotations

from mcp_server.security.authentication.key_sets.key_set import KeySet


class UnusableKeySource:
    """Stand for the keys of an issuer that a changed policy names and whose keys cannot be read.

    Its tokens are refused, and everybody else goes on.

    >>> UnusableKeySource().keys()
    Traceback (most recent call last):
    LookupError: the issuer's keys cannot be used
    """

    def keys(self) -> KeySet:
        """Refuse.

        Raises:
            LookupError: Always.
        """
        raise LookupError("the issuer's keys cannot be used")

    def missed(self) -> None:
        """Hear that a key was missing; all are."""

    def has_changed(self) -> bool:
        """Return that nothing has changed: another policy has another source."""
        return False
