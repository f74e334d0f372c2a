from __future__ import annotations

import os

import pytest

from mcp_server.resources.kernel.pidfd import PidFd
from mcp_server.security.authentication.local_peers.local_peer import LocalPeer
from mcp_server.security.authentication.peer_identity import PeerIdentity


def test_closing_lets_go_of_the_process() -> None:
    peer = LocalPeer(PeerIdentity(uid=1), PidFd.open(os.getpid()))
    assert peer.process is not None
    descriptor = peer.process.fileno()
    peer.close()
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(descriptor)
