from __future__ import annotations

from mcp_server.security.authentication.authenticators.peer_authenticator import PeerAuthenticator
from mcp_server.security.authentication.peer_identity import PeerIdentity
from tests.support.authentication_rig import credentials


def test_the_user_counts_and_the_rest_is_a_label() -> None:
    one, other = (
        PeerAuthenticator().examine(credentials(peer=PeerIdentity(uid=7, pid=pid, program=name)), None)
        for pid, name in ((1, "a"), (2, "b"))
    )
    assert one == other
    assert one is not None
    assert one.facts == {("uid", "7")}
    assert PeerAuthenticator().examine(credentials(), None) is None
