"""Where the clients are, and how they start the server."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.security.audit.audit_verifier import AuditVerifier


@pytest.fixture(scope="session")
def serve_command() -> Callable[[Path], list[str]]:
    """Return what makes the command that a client's configuration would name; the server lives in a directory."""

    def make(home: Path) -> list[str]:
        folder = home / "folder"
        folder.mkdir()
        (folder / "note.txt").write_text("a note\n", encoding="utf-8")
        return [
            *(sys.executable, "-m", "mcp_server", "serve", "--module", "everything_server"),
            *("--folder", str(folder), "--state", str(home / "state")),
        ]

    return make


@pytest.fixture(scope="session")
def server_path(checkout: Path) -> str:
    """The PYTHONPATH with which the server finds this checkout and the module of the tests."""
    return os.pathsep.join((str(checkout), str(checkout / "tests" / "support")))


@pytest.fixture(scope="session")
def check_audit() -> Callable[[Path], None]:
    """Return a check that a server left an audit log in its home which is intact to the last record."""

    def check(home: Path) -> None:
        verdict = AuditVerifier().verify(home / "state" / "audit" / "local", deep=True)
        assert verdict.is_intact, verdict
        assert verdict.beyond_head == 0, verdict
        assert verdict.open_calls == 0, verdict

    return check
