"""Old official clients, each in an environment of its own, and so each older revision as its own client speaks it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REVISIONS = {"1.8.1": "2024-11-05", "1.9.4": "2025-03-26", "1.12.4": "2025-06-18", "1.30.0": "2025-11-25"}
PROGRAM = Path(__file__).with_name("handshake_client.py")
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module", params=list(REVISIONS))
def version(request: pytest.FixtureRequest) -> str:
    """The version of the client's package."""
    return str(request.param)


@pytest.fixture
def date(version: str) -> str:
    """The revision that this client speaks."""
    return REVISIONS[version]


@pytest.fixture(scope="module")
def report(
    version: str,
    clients_directory: Path,
    tmp_path_factory: pytest.TempPathFactory,
    serve_command: Callable[[Path], list[str]],
    server_path: str,
    check_audit: Callable[[Path], None],
) -> dict[str, Any]:
    """What the client saw when it did everything once; the tests of this file look at it."""
    python = clients_directory / f"mcp-{version}" / "bin" / "python"
    assert python.exists(), f"the client mcp {version} is not installed; run: make clients"
    home = tmp_path_factory.mktemp("client")
    done = subprocess.run(
        [str(python), str(PROGRAM), *serve_command(home)],
        env={**os.environ, "HOME": str(home), "PYTHONPATH": "", "SERVER_PYTHONPATH": server_path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    check_audit(home)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_the_revision_is_the_clients_own(date: str, report: dict[str, Any]) -> None:
    assert report["revision"] == date
    assert report["server"] == "mcp-server"
    assert report["ping"] is True
    assert "unreadable" not in report


def test_tools_are_listed_and_called(date: str, report: dict[str, Any]) -> None:
    assert {"echo", "add", "read_text_file", "hold"} <= set(report["tools"])
    assert report["echo"] == "grüße 🎈"
    assert "a note" in report["note"]
    assert report["add"] == {"sum": 5}
    assert report["structured"] == ({"sum": 5} if date >= "2025-06-18" else None)


def test_content_that_the_revision_does_not_know_is_said_in_another_way(date: str, report: dict[str, Any]) -> None:
    assert report["image"] == ["image"]
    assert report["audio"] == (["audio"] if date >= "2025-03-26" else ["resource"])
    assert report["link"] == (["resource_link"] if date >= "2025-06-18" else ["text"])
    assert report["embedded"] == ["text", "resource"]


def test_failures_are_told_as_the_protocol_wants_them(report: dict[str, Any]) -> None:
    assert report["tool_error"] is True
    assert report["masked"] is True
    assert report["unknown_tool"] == -32602
    assert report["unknown_resource"] == -32002


def test_resources_are_listed_and_read(report: dict[str, Any]) -> None:
    assert {"everything://greeting", "everything://counter"} <= set(report["resources"])
    assert "everything://city/{name}" in report["templates"]
    assert report["greeting"] == "hello"
    assert report["city"] == "Parma is a city"


def test_prompts_are_listed_made_and_completed(report: dict[str, Any]) -> None:
    assert {"haiku", "conversation"} <= set(report["prompts"])
    assert report["haiku"] == "Write a calm haiku about frogs."
    assert report["completed"] == ["frogs", "fog"]


def test_log_messages_and_progress_arrive(report: dict[str, Any]) -> None:
    assert report["logged"] == [["error", {"error": "loud"}]]
    assert report["progress"] == [[1, 3], [2, 3], [3, 3]]


def test_handlers_use_what_the_client_lends(date: str, report: dict[str, Any]) -> None:
    assert report["sampled"] == "a-model: forty-two"
    assert report["roots"] == "file:///home/ada/project"
    # Elicitation came with 2025-06-18; before it the handler's question cannot be put.
    assert report["asked"][0] is (date < "2025-06-18")
    if date >= "2025-06-18":
        assert report["asked"][1] == "Ada is 36"


def test_a_call_that_is_taken_back_ends_without_an_answer(report: dict[str, Any]) -> None:
    assert report["ended"] == "mine"
    assert report["answered_after_cancel"] is False


def test_changes_are_told(report: dict[str, Any]) -> None:
    assert report["notified"] == [
        "notifications/prompts/list_changed",
        "notifications/resources/list_changed",
        "notifications/resources/updated",
        "notifications/tools/list_changed",
    ]
