from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcp_server.security.audit.audit_reader import AuditReader


def test_a_permitted_call_prints_its_text_and_is_0(run: Any, server: tuple[str, ...]) -> None:
    done = run("call", "read_text_file", "path=plan.md", *server)
    assert (done.code, done.out) == (0, "# Plan\n\n")


def test_programs_get_the_protocols_result(run: Any, server: tuple[str, ...]) -> None:
    done = run("call", "read_text_file", "path=plan.md", *server, "--json")
    assert done.code == 0
    assert done.data["content"][0] == {"type": "text", "text": "# Plan\n"}


@pytest.mark.parametrize("path", ["secret.md", "../desk.toml", "missing.md"])
def test_a_refused_call_says_why_and_is_1(run: Any, server: tuple[str, ...], path: str) -> None:
    done = run("call", "read_text_file", f"path={path}", *server)
    assert done.code == 1
    assert done.out
    assert "swordfish" not in done.out
    machine = run("call", "read_text_file", f"path={path}", *server, "--json")
    assert machine.code == 1
    assert machine.data["isError"]


def test_a_call_by_hand_passes_the_whole_chain(run: Any, server: tuple[str, ...], desk: Path) -> None:
    run("call", "read_text_file", "path=secret.md", *server)
    records = list(AuditReader(desk / "state" / "audit" / "local").records())
    (refused,) = [each for each in records if each.get("tool") == "read_text_file"]
    assert (refused["kind"], refused["decision"], refused["conn"]) == ("call.denied", "deny", "memory")


def test_an_unknown_tool_is_1_and_told_where_to_look(run: Any, server: tuple[str, ...]) -> None:
    done = run("call", "nosuch", *server)
    assert done.code == 1
    assert "mcp-server tools" in done.err
    machine = run("call", "nosuch", *server, "--json")
    assert machine.code == 1
    assert "nosuch" in machine.data["error"]


def test_what_the_policy_asks_a_human_for_is_refused_where_there_is_none(
    run: Any, server: tuple[str, ...], desk: Path
) -> None:
    (desk / "Desk" / "drafts").mkdir()
    done = run("call", "write_file", "path=drafts/a.md", "content=hello", *server)
    assert done.code == 1
    assert not (desk / "Desk" / "drafts" / "a.md").exists()


def test_values_are_json_where_the_schema_wants_no_text(run: Any, server: tuple[str, ...], desk: Path) -> None:
    (desk / "Desk" / "long.md").write_text("1\n2\n3\n")
    done = run("call", "read_text_file", "path=long.md", "head=2", *server)
    assert (done.code, done.out) == (0, "1\n2\n\n")
