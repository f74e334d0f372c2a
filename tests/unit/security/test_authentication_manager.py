from __future__ import annotations

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.peer_identity import PeerIdentity
from tests.security.chain.chain_rig import ChainRig


def test_a_local_peer_is_whoever_the_operator_said(rig: ChainRig) -> None:
    peer = PeerIdentity(uid=1000, pid=7)
    principal = rig.authentication.authenticate(Credentials(transport="stdio", profile="local", peer=peer))
    assert (principal.client, principal.methods, principal.peer) == ("local", ("local-peer",), peer)


@pytest.mark.parametrize("profile", [None, "", "nobody", "Local", "local\n"])
def test_a_name_that_the_policy_does_not_have_is_refused_alike(rig: ChainRig, profile: str | None) -> None:
    with pytest.raises(AuthenticationError) as caught:
        rig.authentication.authenticate(Credentials(transport="stdio", profile=profile))
    assert str(caught.value) == "not authenticated"
    assert rig.authentication._principals == {}


def test_the_answer_is_remembered_for_a_connection_and_a_policy(rig: ChainRig) -> None:
    first = rig.authentication.authenticate(rig.local)
    assert rig.authentication.authenticate(rig.local) is first
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\n"))
    assert rig.authentication.authenticate(rig.local) is not first
    assert len(rig.authentication._principals) == 1


def test_a_client_that_a_reload_removed_is_refused_at_once(rig: ChainRig) -> None:
    rig.authentication.authenticate(rig.local)
    rig.permissions.replace(rig.policy("version = 1\n[client.other]\n"))
    with pytest.raises(AuthenticationError):
        rig.authentication.authenticate(rig.local)
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\n"))
    assert rig.authentication.authenticate(rig.local).client == "local"


def test_forgetting_what_is_not_known_is_harmless(rig: ChainRig) -> None:
    rig.authentication.forget(rig.local)
    rig.authentication.authenticate(rig.local)
    rig.authentication.forget(rig.local)
    assert rig.authentication._principals == {}
