from __future__ import annotations

import dataclasses

import pytest

from mcp_server.security.authentication.principal import Principal


def test_a_principal_is_a_value_that_cannot_be_changed() -> None:
    principal = Principal("ada", ("local-peer",))
    assert principal == Principal("ada", ("local-peer",))
    with pytest.raises(dataclasses.FrozenInstanceError):
        principal.client = "admin"  # type: ignore[misc]
