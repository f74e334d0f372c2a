"""The official MCP Inspector, by its command line, in both eras."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PATIENCE_SECONDS = 60
UNKNOWN_TOOL_STATUS = 5

Inspect = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=["legacy", "modern"])
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def inspect(
    era: str,
    inspector_command: list[str],
    tmp_path: Path,
    serve_command: Callable[[Path], list[str]],
    server_path: str,
    check_audit: Callable[[Path], None],
) -> Inspect:
    """Return what lets the inspector start a server and call one method of it."""
    for part in inspector_command[:2]:
        assert Path(part).exists(), f"{part} is missing; run: make clients"
    command = serve_command(tmp_path)

    def inspect(method: str, *options: str) -> subprocess.CompletedProcess[str]:
        # The inspector's own options follow the target's, which it would take for its own otherwise.
        done = subprocess.run(
            [
                *inspector_command,
                *command,
                *("-e", f"PYTHONPATH={server_path}", "-e", f"HOME={tmp_path}"),
                *("--protocol-era", era, "--format", "json", "-q", "--method", method, *options),
            ],
            env={**os.environ, "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        check_audit(tmp_path)
        return done

    return inspect


def result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    result: dict[str, Any] = answer["result"]
    return result


def test_tools_are_listed_and_their_schemas_are_portable(inspect: Inspect) -> None:
    # --strict exits with 6 when a schema is one that some client cannot take.
    names = {tool["name"] for tool in result(inspect("tools/list", "--strict"))["tools"]}
    assert {"echo", "add", "ask", "read_text_file", "write_file", "edit_file"} <= names


def test_a_tool_is_called(inspect: Inspect, era: str) -> None:
    called = result(inspect("tools/call", "--tool-name", "add", "--tool-arg", "a=2", "b=3"))
    assert called["structuredContent"] == {"sum": 5}
    assert ("_meta" in called) is (era == "modern")


def test_an_unknown_tool_is_an_error(inspect: Inspect) -> None:
    assert inspect("tools/call", "--tool-name", "no_such_tool").returncode == UNKNOWN_TOOL_STATUS


def test_resources_are_listed(inspect: Inspect) -> None:
    uris = {each["uri"] for each in result(inspect("resources/list"))["resources"]}
    assert {"everything://greeting", "everything://picture"} <= uris


def test_a_resource_is_read(inspect: Inspect) -> None:
    contents = result(inspect("resources/read", "--uri", "everything://greeting"))["contents"]
    assert contents == [{"uri": "everything://greeting", "mimeType": "text/plain", "text": "hello"}]


def test_prompts_are_listed(inspect: Inspect) -> None:
    names = {each["name"] for each in result(inspect("prompts/list"))["prompts"]}
    assert {"haiku", "conversation"} <= names


def test_a_prompt_is_made(inspect: Inspect) -> None:
    made = result(inspect("prompts/get", "--prompt-name", "haiku", "--prompt-args", "topic=frogs"))
    assert made["messages"][0]["content"]["text"] == "Write a calm haiku about frogs."
