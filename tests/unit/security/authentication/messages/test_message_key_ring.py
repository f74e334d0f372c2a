from __future__ import annotations

import pytest

from mcp_server.security.authentication.key_sets.file_key_source import FileKeySource
from mcp_server.security.authentication.key_sets.inline_key_source import InlineKeySource
from mcp_server.security.authentication.messages.message_key_ring import MessageKeyRing
from tests.support.signed_messages import ring
from tests.support.tokens import EC_KEY, ED_KEY


def test_a_key_belongs_to_its_client() -> None:
    keys = ring(ada=ED_KEY, eve=EC_KEY)
    assert keys.find("as-ed-1")[0] == "ada"
    assert keys.find("client-ec")[0] == "eve"
    assert [look() for look in keys.watched] == [False, False]
    with pytest.raises(LookupError, match="no key"):
        keys.find("nobody")


def test_a_key_id_of_two_clients_is_nobodys() -> None:
    with pytest.raises(LookupError, match="more than one"):
        ring(ada=ED_KEY, eve=ED_KEY).find("as-ed-1")


def test_keys_that_are_gone_take_nobody_elses_along() -> None:
    source = InlineKeySource(ring(ada=ED_KEY)._sources["ada"].keys())
    gone = FileKeySource(name="eve", path="/none", report=lambda *_: None, must_work=False)
    keys = MessageKeyRing({"eve": gone, "ada": source})
    assert keys.find("as-ed-1")[0] == "ada"
