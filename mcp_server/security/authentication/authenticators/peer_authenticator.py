"""Processes on this machine."""

from __future__ import annotations

from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind


class PeerAuthenticator:
    """Take what the kernel said of the process at the other end.

    The user counts. The group does not: it is no identity. Nor does the process id by itself: it is a label that the
    next process may wear. The executable counts where it is known to be this very process's.

    Source: unix(7), `SO_PEERCRED`.

    >>> from mcp_server.security.authentication.peer_identity import PeerIdentity
    >>> peer = PeerIdentity(uid=1000, pid=7)
    >>> PeerAuthenticator().examine(Credentials(transport="unix", peer=peer), None).facts
    frozenset({('uid', '1000')})
    """

    kind = EvidenceKind.PEER

    def examine(self, credentials: Credentials, earlier: Evidence | None) -> Evidence | None:
        """Return what the kernel said, None when it said nothing."""
        peer = credentials.peer
        if peer is None:
            return None
        facts = {("uid", str(peer.uid))}
        if peer.executable is not None:
            facts.add(("program", peer.executable))
        return Evidence(self.kind, frozenset(facts), methods=("local-peer",), subject=f"uid {peer.uid}")
