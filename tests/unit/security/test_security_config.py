from __future__ import annotations

from pathlib import Path

from mcp_server.security.audit.durability import Durability
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.security_config import SecurityConfig


def test_unless_said_otherwise_records_survive_the_process_and_calls_have_half_a_minute() -> None:
    config = SecurityConfig(policy=Policy(), audit_directory=Path("audit"))
    assert config.durability is Durability.PROCESS
