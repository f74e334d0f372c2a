from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_server.cli.demonstration import SECRET


def test_through_the_real_client_every_promise_is_kept(checkout: Path, tmp_path: Path) -> None:
    # In a process of its own, as `make demo` runs it: the client has tasks and pipes of its own.
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server", "demo", "--json"],
        capture_output=True,
        check=False,
        cwd=checkout,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        timeout=120,
    )
    data = json.loads(done.stdout)
    assert [each for each in data["steps"] if not each["kept"]] == []
    assert (done.returncode, data["kept"], len(data["steps"])) == (0, 21, 21)
    assert SECRET not in done.stdout.decode()
    promises = [each["promise"] for each in data["steps"]]
    assert {name: promises.count(name) for name in set(promises)} == {
        "allowed": 7,
        "refused": 10,
        "found": 3,
        "asked": 1,
    }
    # Nothing is left behind, in the home or where temporary files go.
    assert list(tmp_path.iterdir()) == []


def test_without_the_client_it_cannot_be_done_here(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp", None)
    done = run("demo")
    assert (done.code, done.out) == (3, "")
    assert "[client]" in done.err
    assert "[client]" in run("demo", "--json").data["error"]
