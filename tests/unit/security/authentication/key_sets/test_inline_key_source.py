from __future__ import annotations

from mcp_server.security.authentication.key_sets.inline_key_source import InlineKeySource
from mcp_server.security.authentication.key_sets.key_set import KeySet
from tests.support.tokens import ED_KEY


def test_the_keys_stay_what_they_are() -> None:
    keys = KeySet.of([ED_KEY.public_jwk()])
    source = InlineKeySource(keys)
    source.missed()
    assert source.keys() is keys
    assert not source.has_changed()
