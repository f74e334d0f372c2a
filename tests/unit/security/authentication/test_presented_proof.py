from __future__ import annotations

from mcp_server.security.authentication.presented_proof import PresentedProof


def test_it_does_not_show_itself() -> None:
    assert "swordfish" not in repr(PresentedProof(("swordfish",), method="GET", target="https://a/"))
