from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.evidence_kind import EvidenceKind
from mcp_server.security.authentication.listener_rules import ListenerRules
from mcp_server.security.authentication.peer_identity import PeerIdentity
from mcp_server.security.authentication_manager import AuthenticationManager
from tests.security.chain.chain_rig import ChainRig
from tests.support.authentication_rig import POLICY, AuthenticationRig, certificate, credentials
from tests.support.tokens import EC_KEY, ED_KEY, token


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


def test_a_known_connection_costs_no_look_at_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = AuthenticationRig()
    shown = credentials(token())
    first = rig.manager.authenticate(shown)
    monkeypatch.setattr(AuthenticationManager, "_hear", lambda *_: pytest.fail("examined again"))
    assert rig.manager.authenticate(shown) is first


def test_each_new_connection_is_on_record_once_with_its_methods() -> None:
    rig = AuthenticationRig()
    shown = credentials(token())
    for _ in range(3):
        rig.manager.authenticate(shown)
    rig.show(certificate=certificate(hosts=["writer.example"]), connection="c2")
    subject = "https://as.example reporter-7"
    assert rig.records == [
        ("auth.ok", {"client": "reporter", "conn": "c1", "methods": ["jwt"], "subject": subject}),
        ("auth.ok", {"client": "writer", "conn": "c2", "methods": ["mtls"], "subject": "writer.example"}),
    ]


def test_a_change_of_the_policy_judges_every_connection_anew() -> None:
    rig = AuthenticationRig()
    shown = credentials(token())
    assert rig.manager.authenticate(shown).client == "reporter"
    rig.replace(POLICY.replace('subject = "reporter-7"', 'subject = "somebody-else"'))
    assert rig.refusal_of(shown) == "jwt: leads to no client"
    rig.replace(POLICY.replace("client.reporter", "client.renamed"))
    assert rig.manager.authenticate(shown).client == "renamed"


def test_an_issuer_that_a_reload_removed_is_refused_at_once() -> None:
    rig = AuthenticationRig()
    shown = credentials(token())
    rig.manager.authenticate(shown)
    rig.replace("version = 1\n[client.reporter]\n")
    assert rig.refusal_of(shown) == "no credentials"


def test_scopes_may_be_demanded_and_are_told() -> None:
    rig = AuthenticationRig()
    assert rig.show(token(sub="writer-1")).scopes == {"notes.read", "notes.write"}
    assert rig.refusal(token(sub="writer-1", scope="notes.read")) == "jwt: leads to no client"


def test_what_a_listener_demands_must_be_there() -> None:
    rig = AuthenticationRig()
    both = ListenerRules(require=frozenset({EvidenceKind.JWT, EvidenceKind.MTLS}), allows_bearer=True)
    assert rig.refusal(token(), listener=both) == "the listener demands mtls"
    assert rig.refusal(listener=both) == "the listener demands jwt and mtls"
    reporter = certificate(uris=["spiffe://example/reporter"])
    assert rig.show(token(sub="reporter-8"), certificate=reporter, listener=both).methods == ("mtls", "jwt")


def test_a_neighbour_is_known_by_his_user() -> None:
    rig = AuthenticationRig()
    peer = PeerIdentity(uid=4242, pid=1)
    principal = rig.show(peer=peer, listener=ListenerRules())
    assert (principal.client, principal.methods, principal.peer) == ("neighbour", ("local-peer",), peer)
    assert rig.refusal(peer=PeerIdentity(uid=4243)) == "peer: leads to no client"


def test_evidence_that_cannot_be_recorded_is_no_authentication() -> None:
    rig = AuthenticationRig()

    def fails(kind: str, fields: object) -> None:
        raise AuditUnavailableError("the audit log cannot be written")

    rig.manager._report = fails
    with pytest.raises(AuditUnavailableError):
        rig.show(token())
    assert rig.manager._principals == {}


def test_keys_that_changed_while_no_policy_named_them_are_not_believed_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [ED_KEY.public_jwk()]}))
    before, _, rest = POLICY.partition("[[issuer.as.key]]")
    policy = before + f'key_file = "{path}"\n\n[client.reporter]' + rest.partition("[client.reporter]")[2]
    rig = AuthenticationRig(policy)
    assert rig.show(token()).client == "reporter"
    rig.replace("version = 1\n[client.local]\n")
    assert rig.refusal(token()) == "no credentials"
    path.write_text(json.dumps({"keys": [EC_KEY.public_jwk()]}))
    # Not a moment passes.
    rig.replace(policy)
    assert rig.refusal(token()) == "token: no key of this id"


SCOPED = '\n[scope."notes.read"]\nallow = ["FILE_READ **"]\n'


def test_scopes_narrow_where_the_policy_says_what_they_cover() -> None:
    rig = AuthenticationRig()
    assert rig.show(token(sub="writer-1")).narrowing is None
    rig.replace(POLICY + SCOPED)
    narrowing = rig.show(token(sub="writer-1")).narrowing
    assert narrowing is not None
    assert narrowing.scopes == ("notes.read", "notes.write")


def test_what_shows_no_token_is_narrowed_by_none(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\n" + SCOPED))
    assert rig.authentication.authenticate(rig.local).narrowing is None


def test_more_scopes_than_anybody_reads_are_refused() -> None:
    rig = AuthenticationRig()
    rig.replace(POLICY + SCOPED)
    many = " ".join(["notes.read", "notes.write", *(f"s{number}" for number in range(100))])
    assert "narrows to 102 scopes" in rig.refusal(token(sub="writer-1", scope=many))
