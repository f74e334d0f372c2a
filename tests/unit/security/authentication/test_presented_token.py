from __future__ import annotations

from mcp_server.security.authentication.presented_token import PresentedToken


def test_it_does_not_show_itself() -> None:
    assert "swordfish" not in repr(PresentedToken("swordfish")) + str(PresentedToken("swordfish"))


def test_the_scheme_is_read_without_regard_to_case() -> None:
    assert PresentedToken.from_headers(["dPOp x"]) == PresentedToken("x", is_dpop=True)
