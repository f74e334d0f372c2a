from __future__ import annotations

from mcp_server.security.authentication.evidence_kind import EvidenceKind


def test_what_the_kernel_says_was_not_shown_by_anybody() -> None:
    assert [each for each in EvidenceKind if not each.is_shown] == [EvidenceKind.PEER]
