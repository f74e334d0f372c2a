from __future__ import annotations

from pathlib import Path

from mcp_server.cli.exit_code import ExitCode


def test_the_numbers_are_a_contract() -> None:
    assert {each.name: each.value for each in ExitCode} == {
        "DONE": 0,
        "NO": 1,
        "USAGE": 2,
        "IMPOSSIBLE": 3,
        "INTERRUPTED": 4,
    }


def test_each_number_stands_in_the_reference(checkout: Path) -> None:
    page = (checkout / "docs" / "reference" / "exit-codes.md").read_text(encoding="utf-8")
    assert [each.value for each in ExitCode if f"| {each.value} |" not in page] == []
