"""A connection whose client is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mcp_server.security.authentication.principal import Principal

if TYPE_CHECKING:
    from mcp_server.security.authentication.evidence import Evidence


class EstablishedConnection(NamedTuple):
    """What was found out about a connection, and what that depends on.

    Args:
        principal: The client.
        evidence: What led to it.
        policy_epoch: The policy by which it did.
        changes: The keys and revocations by which it did.
        valid_until: How long it holds, in seconds since 1970; None when nothing of it ends.

    >>> EstablishedConnection(Principal("claude", ("local-peer",)), (), policy_epoch=1, changes=1).valid_until
    """

    principal: Principal
    evidence: tuple[Evidence, ...]
    policy_epoch: int
    changes: int
    valid_until: float | None = None
