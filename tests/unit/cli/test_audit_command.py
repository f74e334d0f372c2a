from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli import audit_command


@pytest.fixture
def log(run: Any, server: tuple[str, ...], desk: Path) -> Path:
    """The log of one permitted and one refused call."""
    run("call", "read_text_file", "path=plan.md", *server)
    run("call", "read_text_file", "path=secret.md", *server)
    return desk / "state" / "audit" / "local"


def test_an_intact_log_is_0(run: Any, log: Path) -> None:
    done = run("audit", "verify", log)
    assert done.code == 0
    assert done.out.startswith("intact: ")
    for deep in ((), ("--deep",)):
        machine = run("audit", "verify", log, "--json", *deep)
        assert (machine.code, machine.data["state"]) == (0, "intact")


def test_one_altered_byte_is_1_and_its_record_is_named(run: Any, log: Path) -> None:
    (segment,) = log.glob("*.jsonl")
    data = segment.read_bytes()
    at = data.index(b"secret.md")
    segment.chmod(0o600)
    segment.write_bytes(data[:at] + b"S" + data[at + 1 :])
    done = run("audit", "verify", log)
    assert done.code == 1
    assert done.out.startswith("altered at record ")
    machine = run("audit", "verify", log, "--json")
    assert (machine.code, machine.data["state"]) == (1, "altered")
    assert isinstance(machine.data["line"], int)
    segment.write_bytes(data)
    assert run("audit", "verify", log).code == 0


def test_the_log_is_found_by_state_and_client(run: Any, log: Path, desk: Path) -> None:
    assert run("audit", "verify", "--state", desk / "state").code == 0
    done = run("audit", "verify", "--state", desk / "state", "--client", "nobody")
    assert done.code == 2
    assert "no audit log" in done.err


def test_tail_shows_the_last_records_one_a_line(run: Any, log: Path) -> None:
    done = run("audit", "tail", log)
    assert done.code == 0
    assert done.out.splitlines()[-1].split()[2] == "log.close"
    assert "decision=deny" in done.out
    assert len(run("audit", "tail", log, "-n", "2").out.splitlines()) == 2
    assert run("audit", "tail", log, "-n", "0").out == ""
    assert run("audit", "tail", log, "-n", "-5").out == ""


def test_tail_picks_by_kind_and_tool(run: Any, log: Path) -> None:
    records = [json.loads(line) for line in run("audit", "tail", log, "--json").out.splitlines()]
    assert [each["seq"] for each in records] == sorted(each["seq"] for each in records)
    denied = run("audit", "tail", log, "--kind", "call.denied", "--json")
    assert {json.loads(line)["kind"] for line in denied.out.splitlines()} == {"call.denied"}
    calls = run("audit", "tail", log, "--kind", "call", "--tool", "read_text_file", "--json")
    assert {json.loads(line)["tool"] for line in calls.out.splitlines()} == {"read_text_file"}
    assert run("audit", "tail", log, "--tool", "nosuch").out == ""


def test_following_goes_on_behind_what_was_shown(
    run: Any, log: Path, server: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []

    def wait() -> bool:
        waits.append(1)
        return len(waits) < 3

    monkeypatch.setattr(audit_command, "_wait", wait)
    everything = run("audit", "tail", log, "--json").out.splitlines()
    followed = run("audit", "tail", log, "--follow", "--json").out.splitlines()
    # Nothing is shown twice and nothing is left out.
    assert followed == everything
    assert waits
