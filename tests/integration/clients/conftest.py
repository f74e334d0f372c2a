"""Where the clients are, and how they start the server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mcp_server.security.audit.audit_verifier import AuditVerifier


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where the server of this test keeps its audit log."""
    return tmp_path / "state"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the server of this test serves, with two files."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "note.txt").write_text("a note\n", encoding="utf-8")
    return folder


@pytest.fixture
def server_command(checkout: Path, state: Path, folder: Path) -> list[str]:
    """The command that a client's configuration would name."""
    return [
        *(sys.executable, "-m", "mcp_server", "serve", "--module", "everything_server"),
        *("--folder", str(folder), "--state", str(state)),
    ]


@pytest.fixture
def server_environment(checkout: Path) -> dict[str, str]:
    """The environment in which the server finds this checkout and the module of the tests."""
    return {"PYTHONPATH": os.pathsep.join((str(checkout), str(checkout / "tests" / "support")))}


@pytest.fixture
def intact_audit(state: Path) -> object:
    """Return a check that the server left an audit log behind which is intact to the last record."""

    def check() -> None:
        verdict = AuditVerifier().verify(state / "audit" / "local", deep=True)
        assert verdict.is_intact, verdict
        assert verdict.beyond_head == 0, verdict
        assert verdict.open_calls == 0, verdict

    return check
