from __future__ import annotations

import pytest

from mcp_server.security.authentication.key_sets.unusable_key_source import UnusableKeySource


def test_there_are_no_keys() -> None:
    source = UnusableKeySource()
    source.missed()
    assert not source.has_changed()
    with pytest.raises(LookupError, match="cannot be used"):
        source.keys()
