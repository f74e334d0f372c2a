from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.clients.client_match import ClientMatch
from mcp_server.security.authentication.clients.client_matcher import ClientMatcher
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind

JWT, MTLS, PEER = EvidenceKind.JWT, EvidenceKind.MTLS, EvidenceKind.PEER


def way(**demands: list[tuple[str, str]]) -> ClientMatch:
    return ClientMatch({EvidenceKind(kind): frozenset(facts) for kind, facts in demands.items()})


ADA = way(jwt=[("issuer", "i"), ("subject", "ada")])
DESK = way(jwt=[("issuer", "i"), ("client_id", "desk")])
HOST = way(mtls=[("san_dns", "h")])
USER = way(peer=[("uid", "7")])


def token(**more: Any) -> Evidence:
    return Evidence(JWT, frozenset({("issuer", "i"), ("subject", "ada"), ("client_id", "desk")}), **more)


def certificate(**more: Any) -> Evidence:
    return Evidence(MTLS, frozenset({("san_dns", "h")}), **more)


USER_7 = Evidence(PEER, frozenset({("uid", "7")}))


def reason(matcher: ClientMatcher, *evidence: Evidence, profile: str | None = None) -> str:
    with pytest.raises(AuthenticationError) as caught:
        matcher.client_of(evidence, profile=profile)
    return caught.value.reason


def test_evidence_leads_to_the_client_that_the_policy_says() -> None:
    matcher = ClientMatcher({"ada": [ADA], "host": [HOST], "user": [USER]})
    for evidence, client in (((token(),), "ada"), ((certificate(),), "host"), ((USER_7,), "user")):
        assert matcher.client_of(evidence, profile=None) == client
    # What the kernel says is so for everybody, and need not be spoken for.
    assert matcher.client_of((token(), USER_7), profile=None) == "ada"


def test_two_clients_are_none() -> None:
    assert reason(ClientMatcher({"ada": [ADA], "desk": [DESK]}), token()) == "jwt: leads to more than one client"
    assert ClientMatcher({"ada": [ADA, DESK]}).client_of((token(),), profile=None) == "ada"


def test_nothing_is_nobody() -> None:
    matcher = ClientMatcher({"ada": [ADA]})
    assert reason(matcher) == "no credentials"
    assert reason(matcher, USER_7) == "peer: leads to no client"
    assert reason(matcher, certificate()) == "mtls: leads to no client"


def test_the_operators_word_stands_unless_something_else_is_shown() -> None:
    matcher = ClientMatcher({"ada": [ADA], "host": [HOST]})
    assert matcher.client_of((USER_7,), profile="host") == "host"
    assert matcher.client_of((token(),), profile="ada") == "ada"
    assert "another client" in reason(matcher, token(), profile="host")
    assert "names no client" in reason(matcher, profile="nobody")
    assert reason(matcher, Evidence(JWT, frozenset({("subject", "x")})), profile="ada") == "jwt: leads to no client"


def test_the_certificate_of_a_token_is_spoken_for_by_it() -> None:
    matcher = ClientMatcher({"ada": [ADA]})
    assert matcher.client_of((token(bound_certificate="t"), certificate(bound_certificate="t")), profile=None) == "ada"
    assert "no client" in reason(matcher, token(bound_certificate="t"), certificate(bound_certificate="u"))
    assert "no client" in reason(matcher, token(), certificate())
    taken = ClientMatcher({"ada": [ADA], "host": [HOST]})
    assert "no client" in reason(taken, token(bound_certificate="t"), certificate(bound_certificate="t"))
    # Also where it is only half of the other one's way.
    half = way(jwt=[("issuer", "i"), ("subject", "eve")], mtls=[("san_dns", "h")])
    taken = ClientMatcher({"ada": [ADA], "eve": [half]})
    assert "no client" in reason(taken, token(bound_certificate="t"), certificate(bound_certificate="t"))
