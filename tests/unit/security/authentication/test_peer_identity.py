from __future__ import annotations

from mcp_server.security.authentication.peer_identity import PeerIdentity


def test_what_the_transport_cannot_tell_is_none() -> None:
    peer = PeerIdentity(uid=0)
    assert (peer.pid, peer.program) == (None, None)
    assert peer == PeerIdentity(uid=0)
