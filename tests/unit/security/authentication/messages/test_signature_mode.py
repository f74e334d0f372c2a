from __future__ import annotations

from mcp_server.security.authentication.messages.signature_mode import SignatureMode


def test_there_are_three() -> None:
    assert {each.value: each.is_on for each in SignatureMode} == {"off": False, "accept": True, "require": True}
