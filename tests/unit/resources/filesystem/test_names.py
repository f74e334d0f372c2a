from __future__ import annotations

import base64
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.resources.filesystem.names import escaped, is_plain, quoted, raw_base64


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=30))
def test_every_name_can_be_shown_and_sent(raw: bytes) -> None:
    name = os.fsdecode(raw)
    shown = escaped(name)
    shown.encode()
    assert is_plain(shown)
    assert quoted(name).encode()
    encoded = raw_base64(name)
    assert encoded is None or base64.b64decode(encoded) == os.fsencode(name)


def test_long_paths_are_shortened() -> None:
    assert len(quoted("a" * 1_000)) < 210
