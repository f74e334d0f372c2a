from __future__ import annotations

from mcp_server.security.authentication.messages.signed_message import SignedMessage


def test_what_was_said_is_not_shown() -> None:
    assert "swordfish" not in repr(SignedMessage("ada", "k", {"a": "swordfish"}, digest="d"))
