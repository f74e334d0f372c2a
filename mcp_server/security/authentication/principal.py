"""Who calls, once it is established."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mcp_server.security.authentication.peer_identity import PeerIdentity

if TYPE_CHECKING:
    from mcp_server.security.permissions.narrowing import Narrowing


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated client of the policy.

    Args:
        client: Its name in the policy.
        methods: How it was recognised, such as `("local-peer",)`.
        peer: The kernel's facts about it, for a local peer.
        subject: Whom its evidence speaks of, for the audit: issuer and subject of a token, the name in a certificate.
        scopes: What its token was issued for, None where there is no token.
        narrowing: What its token leaves of the client's rights, None for all of them.

    >>> Principal("claude", ("local-peer",)).client
    'claude'
    """

    client: str
    methods: tuple[str, ...]
    peer: PeerIdentity | None = None
    subject: str | None = None
    scopes: frozenset[str] | None = None
    narrowing: Narrowing | None = None
