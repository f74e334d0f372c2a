from __future__ import annotations

from mcp_server.security.authentication.evidence import Evidence
from mcp_server.security.authentication.evidence_kind import EvidenceKind


def test_evidence_is_a_value() -> None:
    one, same = (Evidence(EvidenceKind.PEER, frozenset({("uid", "7")})) for _ in range(2))
    assert one == same
    assert one.scopes is None
