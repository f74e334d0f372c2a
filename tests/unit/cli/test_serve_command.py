from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli import serve_command
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.transport.stdio_streams import StdioStreams
from mcp_server.transport.stop_reason import StopReason

LINES = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
    b'"clientInfo":{"name":"t","version":"1"}}}\n'
    b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
    b'{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"read_text_file","arguments":{"path":"plan.md"}}}\n'
)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What happened in which order, with the real descriptors left alone."""
    events: list[str] = []
    monkeypatch.setattr(os, "isatty", lambda descriptor: False)
    monkeypatch.setattr(logging, "basicConfig", lambda **settings: events.append(f"log {settings['level']}"))

    def take_over() -> StdioStreams:
        events.append("streams")
        return StdioStreams(-1, -1)

    monkeypatch.setattr(StdioStreams, "take_over", take_over)
    return events


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (StopReason.END_OF_INPUT, 0),
        (StopReason.REQUESTED, 0),
        (StopReason.SIGNAL, 4),
        (StopReason.PARENT_DIED, 4),
    ],
)
def test_why_it_ended_is_its_exit_code(
    run: Any,
    server: tuple[str, ...],
    taken: list[str],
    monkeypatch: pytest.MonkeyPatch,
    reason: StopReason,
    code: int,
) -> None:
    monkeypatch.setattr(MCPServer, "run_stdio", lambda self, streams: reason)
    done = run("serve", *server)
    assert (done.code, done.out) == (code, "")


def test_the_streams_are_taken_before_any_module_is_imported(
    run: Any, taken: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MCPServer, "register_module", lambda self, module: taken.append("module"))
    monkeypatch.setattr(MCPServer, "run_stdio", lambda self, streams: StopReason.END_OF_INPUT)
    run("serve", "--module", "somebodys.module", "--verbose")
    assert taken == [f"log {logging.INFO}", "streams", "module", "module"]


def test_a_terminal_is_told_what_to_do_and_is_2(
    run: Any, server: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "isatty", lambda descriptor: True)
    monkeypatch.setattr(logging, "basicConfig", lambda **settings: None)
    done = run("serve", *server)
    assert (done.code, done.out) == (2, "")
    assert "mcp-server call" in done.err


def test_it_serves_its_pipes_and_ends_with_its_client(server: tuple[str, ...], checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server", "serve", *server],
        input=LINES,
        capture_output=True,
        check=True,
        cwd=checkout,
        timeout=60,
    )
    answers = {message["id"]: message["result"] for message in map(json.loads, done.stdout.splitlines())}
    assert answers[1]["protocolVersion"] == "2025-11-25"
    assert answers[2]["content"][0]["text"] == "# Plan\n"
    assert done.stderr == b""


def test_a_mistake_is_said_on_standard_error_and_never_to_the_client(checkout: Path, desk: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server", "serve", "--policy", str(desk / "nowhere.toml"), "--json"],
        input=LINES,
        capture_output=True,
        check=False,
        cwd=checkout,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"nowhere.toml" in done.stderr


def test_a_scope_is_entered_once_and_keeps_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, list[str], dict[str, str]]] = []
    monkeypatch.setattr(serve_command.os, "access", lambda path, mode: True)
    monkeypatch.setattr(serve_command.os, "execve", lambda *given: started.append(given))
    monkeypatch.delenv(serve_command.SCOPE_VARIABLE, raising=False)
    serve_command.enter_scope(["serve", "--policy", "a b.toml", "--scope"])
    ((program, command, environment),) = started
    assert program == command[0] == "/usr/bin/systemd-run"
    assert {"--user", "--scope", "--property=Delegate=yes"} <= set(command)
    assert command[command.index("--") + 1 :] == [
        *(sys.executable, "-m", "mcp_server"),
        *("serve", "--policy", "a b.toml", "--scope"),
    ]
    monkeypatch.setenv(serve_command.SCOPE_VARIABLE, environment[serve_command.SCOPE_VARIABLE])
    serve_command.enter_scope(["serve"])
    assert len(started) == 1


def test_without_systemd_a_scope_is_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve_command.os, "access", lambda path, mode: False)
    monkeypatch.delenv(serve_command.SCOPE_VARIABLE, raising=False)
    with pytest.raises(ConfigurationError, match="needs systemd"):
        serve_command.enter_scope(["serve"])
