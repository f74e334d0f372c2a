from __future__ import annotations

import ast
from pathlib import Path

from mcp_server.core import constants


def test_a_policy_file_is_looked_at_often_enough_to_be_in_force_within_a_second() -> None:
    assert constants.POLICY_POLL_SECONDS <= 1.0


def test_only_core_and_those_above_it_read_them(checkout: Path) -> None:
    readers = {
        path.relative_to(checkout / "mcp_server").parts[0]
        for path in (checkout / "mcp_server").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "mcp_server.core.constants"
    }
    assert readers <= {"core", "cli", "testing"}
