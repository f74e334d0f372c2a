"""The command line, run in this process as a terminal would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mcp_server.cli.main import main


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one JSON value that was printed."""
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command and return its exit status and what it printed."""

    def command(*arguments: str | Path) -> Done:
        capsys.readouterr()
        try:
            code = main([str(each) for each in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Done(int(code), captured.out, captured.err)

    return command


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A place with a folder, a policy for it, and nothing else."""
    folder = tmp_path / "Desk"
    folder.mkdir()
    (folder / "plan.md").write_text("# Plan\n")
    (folder / "secret.md").write_text("swordfish\n")
    policy = tmp_path / "desk.toml"
    policy.write_text(
        "version = 1\n"
        "[client.local]\n"
        'folders = ["Desk"]\n'
        'allow = ["FILE_READ **/*.md", "DIRECTORY_LIST **"]\n'
        'ask = ["FILE_WRITE drafts/**"]\n'
        'deny = ["FILE_READ secret.md"]\n'
    )
    policy.chmod(0o600)
    return tmp_path


@pytest.fixture
def server(desk: Path) -> tuple[str, ...]:
    """The options that name the server of `desk`."""
    return ("--policy", str(desk / "desk.toml"), "--state", str(desk / "state"))
