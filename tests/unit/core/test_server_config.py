from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mcp_server.core.server_config import ServerConfig
from mcp_server.security.audit.durability import Durability
from mcp_server.security.permissions.policy import Policy


def test_what_is_not_said_has_the_safe_default() -> None:
    config = ServerConfig(policy=Policy(), state_directory=Path("state"))
    assert (config.client, config.durability, config.policy_path) == ("local", Durability.PROCESS, None)
    assert config.policy.clients == {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.client = "admin"  # type: ignore[misc]
