"""The ways of recognising a peer."""

from __future__ import annotations

from enum import StrEnum


class EvidenceKind(StrEnum):
    """What a piece of evidence is; the names stand in policies and records.

    >>> EvidenceKind("jwt").is_shown
    True
    """

    JWT = "jwt"
    """A verified access token."""
    MTLS = "mtls"
    """A client certificate that TLS has verified."""
    KEY = "key"
    """A key that the message was signed with."""
    PEER = "peer"
    """What the kernel says of a process on this machine."""

    @property
    def is_shown(self) -> bool:
        """Whether the peer chose to show it; then it must lead to the client. What the kernel says is just so."""
        return self is not EvidenceKind.PEER
