from __future__ import annotations

import platform
from typing import Any

from mcp_server import __version__

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]


def test_people_read_the_version_and_the_revisions(run: Any) -> None:
    done = run("version")
    assert done.code == 0
    assert done.out.splitlines()[0] == f"mcp-server {__version__} on Python {platform.python_version()}"
    assert all(revision in done.out for revision in REVISIONS)


def test_programs_read_the_same(run: Any) -> None:
    done = run("version", "--json")
    assert done.code == 0
    assert sorted(done.data["revisions"]) == REVISIONS
    assert (done.data["version"], done.data["python"]) == (__version__, platform.python_version())
