from __future__ import annotations

import pytest

from mcp_server.security.authentication.clients.client_match import ClientMatch
from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind

TOKEN = frozenset({("issuer", "i"), ("subject", "s")})
BOTH = ClientMatch({EvidenceKind.JWT: TOKEN, EvidenceKind.MTLS: frozenset({("san_dns", "h")})})


def evidence(kind: EvidenceKind, *facts: tuple[str, str]) -> dict[EvidenceKind, Evidence]:
    return {kind: Evidence(kind, frozenset(facts))}


def test_all_that_is_demanded_must_be_there() -> None:
    token = evidence(EvidenceKind.JWT, *TOKEN, ("client_id", "c"))
    host = evidence(EvidenceKind.MTLS, ("san_dns", "h"), ("san_dns", "g"))
    assert BOTH.fits({**token, **host})
    assert not BOTH.fits(token)
    assert not BOTH.fits(host)
    assert not BOTH.fits({**token, **evidence(EvidenceKind.MTLS, ("san_dns", "g"))})
    assert not BOTH.fits({**evidence(EvidenceKind.JWT, ("subject", "s")), **host})


def test_a_fact_of_another_kind_does_not_count() -> None:
    match = ClientMatch({EvidenceKind.MTLS: frozenset({("subject", "s")})})
    assert not match.fits(evidence(EvidenceKind.JWT, ("subject", "s")))


def test_a_way_is_looked_up_by_what_tells_most() -> None:
    assert BOTH.handle == (EvidenceKind.JWT, "subject", "s")
    assert BOTH.handle in ClientMatch.handles_of(evidence(EvidenceKind.JWT, *TOKEN))
    with pytest.raises(ValueError, match="must name"):
        _ = ClientMatch({EvidenceKind.JWT: frozenset({("issuer", "i")})}).handle


def test_its_form_does_not_depend_on_order() -> None:
    assert BOTH.to_json() == {"jwt": [["issuer", "i"], ["subject", "s"]], "mtls": [["san_dns", "h"]]}
