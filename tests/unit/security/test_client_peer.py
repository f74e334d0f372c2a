from __future__ import annotations

import inspect

import pytest

from mcp_server.protocol.sessions.handshake_peer import HandshakePeer
from mcp_server.protocol.sessions.stateless_peer import StatelessPeer
from mcp_server.security.client_peer import ClientPeer
from tests.security.chain.fake_peer import FakePeer

MEMBERS = [name for name in vars(ClientPeer) if not name.startswith("_")]


@pytest.mark.parametrize("peer", [HandshakePeer, StatelessPeer])
@pytest.mark.parametrize("name", MEMBERS)
def test_both_eras_offer_every_member_in_the_same_form(peer: type, name: str) -> None:
    wanted, offered = getattr(ClientPeer, name), getattr(peer, name)
    assert isinstance(wanted, property) == isinstance(offered, property)
    if not isinstance(wanted, property):
        assert list(inspect.signature(offered).parameters) == list(inspect.signature(wanted).parameters)
        assert inspect.iscoroutinefunction(offered) == inspect.iscoroutinefunction(wanted)


def test_the_peer_of_these_tests_offers_every_member_too() -> None:
    assert [name for name in MEMBERS if not hasattr(FakePeer(), name)] == []
