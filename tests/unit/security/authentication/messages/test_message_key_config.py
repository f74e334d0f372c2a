from __future__ import annotations

from mcp_server.security.authentication.key_sets.key_set import KeySet
from mcp_server.security.authentication.messages.message_key_config import MessageKeyConfig
from tests.support.tokens import EC_KEY, ED_KEY


def test_its_form_tells_keys_apart() -> None:
    forms = [MessageKeyConfig(inline=KeySet.of([key.public_jwk()])).to_json() for key in (ED_KEY, EC_KEY)]
    assert forms[0] != forms[1]
    assert MessageKeyConfig(file="/a").to_json() == ["file", "/a"]
