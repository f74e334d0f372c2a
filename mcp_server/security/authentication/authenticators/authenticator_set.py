"""The authenticators of one policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcp_server.security.authentication.authenticators.authenticator import Authenticator
from mcp_server.security.authentication.change_counter import ChangeCounter
from mcp_server.security.authentication.messages.message_key_ring import MessageKeyRing

if TYPE_CHECKING:
    from mcp_server.security.authentication.key_sets.remote_key_source import RemoteKeySource


@dataclass(frozen=True, slots=True)
class AuthenticatorSet:
    """The authenticators, and what they depend on that may change by itself.

    Args:
        authenticators: In the order in which they are asked.
        watched: Each looks whether something has changed, and is cheap.
        changes: Counts what has.
        remote: Keys that somebody has to fetch.
        message_keys: Whose keys sign messages.

    >>> changes = ChangeCounter()
    >>> AuthenticatorSet((), watched=(lambda: True, lambda: False), changes=changes).look()
    >>> changes.number
    2
    """

    authenticators: Sequence[Authenticator]
    watched: Sequence[Callable[[], bool]] = ()
    changes: ChangeCounter = field(default_factory=ChangeCounter)
    remote: Sequence[RemoteKeySource] = ()
    message_keys: MessageKeyRing = field(default_factory=lambda: MessageKeyRing({}))

    def look(self) -> None:
        """Look at all that may have changed, and count it when something has."""
        # All of them, not the first only: each takes up what is new to it.
        changed = [has_changed() for has_changed in self.watched]
        if any(changed):
            self.changes.advance()
