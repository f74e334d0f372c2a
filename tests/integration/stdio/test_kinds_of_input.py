"""Standard input and output need not be pipes: files, nothing at all, sockets, and a terminal."""

from __future__ import annotations

import json
import os
import pty
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.stdio.raw_server import PATIENCE_SECONDS, RawServer, serve_command, server_environment, text_of

INITIALIZE: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}},
}


def call(number: int, text: str) -> dict[str, Any]:
    params = {"name": "echo", "arguments": {"text": text}}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def test_requests_in_a_regular_file_are_all_answered_before_the_end(
    start: Callable[..., RawServer], tmp_path: Path
) -> None:
    requests = tmp_path / "requests.jsonl"
    messages = [INITIALIZE, *(call(number, f"text {number}") for number in range(2, 202))]
    requests.write_text("".join(json.dumps(each) + "\n" for each in messages), encoding="utf-8")
    with requests.open("rb") as file:
        server = start(stdin=file)
    server.expect(1, "initialize")
    for message in messages[1:]:
        server.expect(message["id"], "tools/call")
    assert server.wait() == 0
    answers = {message["id"]: message for message in server.kept}
    assert set(answers) == set(range(1, 202))
    assert all(text_of(answers[number]) == f"text {number}" for number in range(2, 202))
    server.check_audit()


def test_requests_and_answers_may_both_be_regular_files(start: Callable[..., RawServer], tmp_path: Path) -> None:
    requests, answers = tmp_path / "requests.jsonl", tmp_path / "answers.jsonl"
    requests.write_text(json.dumps(INITIALIZE) + "\n" + json.dumps(call(2, "to a file")), encoding="utf-8")
    answers.write_text("what stood there before\n", encoding="utf-8")
    with requests.open("rb") as file, answers.open("ab") as out:
        server = start(stdin=file, stdout=out)
        assert server.process.wait(PATIENCE_SECONDS) == 0
    server.check_audit()
    before, first, second = answers.read_text(encoding="utf-8").splitlines()
    assert before == "what stood there before"
    server.expect(1, "initialize")
    server.expect(2, "tools/call")
    assert server.check(first.encode())["id"] == 1
    assert text_of(server.check(second.encode())) == "to a file"


def test_no_input_at_all_is_the_end_of_input(start: Callable[..., RawServer]) -> None:
    server = start(stdin=subprocess.DEVNULL)
    assert server.wait() == 0
    assert list(server.kept) == []
    server.check_audit()


def test_an_answer_to_nowhere_is_no_failure(start: Callable[..., RawServer]) -> None:
    server = start(stdout=subprocess.DEVNULL)
    server.send_bytes(json.dumps(INITIALIZE).encode() + b"\n" + json.dumps(call(2, "to nobody")).encode() + b"\n")
    server.close_input()
    assert server.process.wait(PATIENCE_SECONDS) == 0
    server.check_audit()


def test_one_socket_may_be_both_ends(start: Callable[..., RawServer]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        server = start(stdin=theirs.fileno(), stdout=theirs.fileno())
        theirs.close()
        server.use(ours.fileno(), ours.fileno())
        server.initialize()
        assert server.text("echo", text="over a socket") == "over a socket"
        large = "x" * 500_000
        assert server.text("echo", text=large) == large
        ours.shutdown(socket.SHUT_WR)
        assert server.wait() == 0
        server.check_audit()


def test_a_terminal_is_refused_with_advice(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            serve_command(tmp_path),
            stdin=theirs,
            capture_output=True,
            text=True,
            env=server_environment(),
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "mcp-server call" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_closed_standard_input_or_output_is_told_in_words(tmp_path: Path, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *serve_command(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=server_environment(),
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "standard" in done.stderr
