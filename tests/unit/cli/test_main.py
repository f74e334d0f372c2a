from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli import version_command
from mcp_server.cli.main import COMMANDS, main


def test_every_command_explains_itself(run: Any) -> None:
    for name in COMMANDS:
        done = run(name, "--help")
        assert done.code == 0
        assert name in done.out


def test_the_program_lists_its_commands_and_exit_codes(run: Any) -> None:
    done = run("--help")
    assert done.code == 0
    assert all(name in done.out for name in COMMANDS)
    assert "4 interrupted" in " ".join(done.out.split())


@pytest.mark.parametrize("arguments", [(), ("nosuch",), ("version", "--nosuch"), ("policy",), ("audit", "nosuch")])
def test_wrong_use_is_2(run: Any, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert "usage:" in done.err


@pytest.mark.parametrize("arguments", [("--json", "version"), ("version", "--json")])
def test_json_may_be_asked_for_before_and_after(run: Any, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).data["version"]


def test_what_the_operator_got_wrong_is_2_and_said_in_both_forms(run: Any, tmp_path: Path) -> None:
    human = run("tools", "--folder", tmp_path / "nowhere")
    assert (human.code, human.out) == (2, "")
    assert human.err.startswith("mcp-server: the folder")
    machine = run("tools", "--folder", tmp_path / "nowhere", "--json")
    assert machine.code == 2
    assert "does not exist" in machine.data["error"]
    assert "does not exist" in machine.err


def test_an_interruption_is_4(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(arguments: Any, output: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(version_command, "run", interrupted)
    assert main(["version"]) == 4


def test_a_reader_that_has_seen_enough_is_no_failure(checkout: Path) -> None:
    # As in `mcp-server version | true`: the pipe is closed before anything is written.
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server", "version"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
        cwd=checkout,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        timeout=60,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_module_is_the_program(checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server", "nosuch"], capture_output=True, check=False, cwd=checkout, timeout=60
    )
    assert done.returncode == 2


def test_only_the_named_commands_file_is_imported(checkout: Path) -> None:
    program = (
        "import sys\nfrom mcp_server.cli.main import main\nmain(['version'])\n"
        "print([name for name in sys.modules if name.endswith('_command')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, cwd=checkout, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "['mcp_server.cli.version_command']"
