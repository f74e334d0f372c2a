"""The runner as the server meets it: alone, in a process of its own, without a sandbox around it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.isolation.runner import FAILED_EXIT, READY

RUN = "from mcp_server.resources.isolation.runner import main; main()"


class Served:
    """A runner, and the server's end of its socket."""

    def __init__(self, checkout: Path) -> None:
        self.control, theirs = socket.socketpair()
        self.control.settimeout(30)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-B", "-c", RUN, str(theirs.fileno())],
                cwd=checkout,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def job(self, **changed: Any) -> dict[str, Any]:
        whole = {
            "arguments": [],
            "code": None,
            "directory": "/tmp",
            "environment": {"PATH": "/usr/bin:/bin"},
            "filters": [],
            "hidden": "/opt/mcp-server",
            "landlock": None,
            "limits": {},
            "program": None,
            "shares_processes": False,
        }
        return whole | changed

    def submit(self, data: bytes) -> None:
        self.control.sendall(len(data).to_bytes(8, "big") + data)

    def run(self, **changed: Any) -> tuple[dict[str, Any], bytes, bytes]:
        """Give it a job, and return what it tells of the end, and what was written."""
        assert self.control.recv(10) == READY
        self.submit(json.dumps(self.job(**changed)).encode())
        out, errors = self.process.communicate(timeout=30)
        told: dict[str, Any] = {}
        while part := self.control.recv(65536):
            for line in part.splitlines():
                told |= json.loads(line)
        assert self.process.returncode == 0
        return told, out, errors


@pytest.fixture
def served(checkout: Path) -> Iterator[Served]:
    served = Served(checkout)
    yield served
    served.control.close()
    served.process.kill()
    served.process.communicate()


@pytest.mark.parametrize(
    ("code", "status", "errors"),
    [
        ("", 0, b""),
        ("raise SystemExit", 0, b""),
        ("raise SystemExit(None)", 0, b""),
        ("raise SystemExit(7)", 7, b""),
        ("raise SystemExit(True)", 1, b""),
        ("raise SystemExit(-1)", 255, b""),
        ("raise SystemExit(256)", 0, b""),
        ("raise SystemExit('words')", 1, b"words\n"),
        ("import os; os._exit(9)", 9, b""),
        ("import sys; sys.exit(3)", 3, b""),
        ("import atexit, os; atexit.register(os.write, 2, b'last')", 0, b"last"),
        ("import os, threading; threading.Thread(target=os.write, args=(2, b'thread')).start()", 0, b"thread"),
        ("import sys; sys.stderr.write('held')", 0, b"held"),
    ],
)
def test_a_snippet_ends_as_a_script_does(code: str, status: int, errors: bytes, served: Served) -> None:
    told, _, written = served.run(code=code)
    assert told["exit"] == status
    assert "signal" not in told
    assert written == errors
    script = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, check=False)
    assert (script.returncode, script.stderr) == (status, errors)


def test_a_snippet_is_the_main_module_and_sees_none_of_ours(served: Served) -> None:
    code = """
import json, sys
print(json.dumps([__name__, sys.argv, "__file__" in globals(), sorted(name for name in globals() if name[0] != "_"),
                  [name for name in sys.modules if name.startswith("mcp_server")], sys.modules["__main__"].__name__]))
import pickle
class A: pass
assert type(pickle.loads(pickle.dumps(A()))) is A
"""
    _, out, errors = served.run(code=code, arguments=["a", "b c"])
    assert errors == b""
    assert json.loads(out) == ["__main__", ["<snippet>", "a", "b c"], False, ["json", "sys"], [], "__main__"]


def test_a_signal_and_what_was_used_are_told(served: Served) -> None:
    told, _, _ = served.run(code="import os; os.kill(os.getpid(), 15)")
    assert told["signal"] == 15
    assert "exit" not in told
    assert told["peak"] > 1 << 20
    assert 0 <= told["cpu"] < 30


def test_a_program_gets_its_arguments_and_its_environment_alone(served: Served) -> None:
    told, out, _ = served.run(program="/usr/bin/env", environment={"A": "1"})
    assert (told["exit"], out) == (0, b"A=1\n")


def test_a_program_that_is_missing_has_the_exit_code_of_shells(served: Served) -> None:
    told, _, errors = served.run(program="/nosuch", arguments=["x"])
    assert (told["exit"], errors) == (FAILED_EXIT, b"/nosuch: No such file or directory\n")


def test_limits_hold_and_new_files_are_private(served: Served, tmp_path: Path) -> None:
    code = """
import os, resource, sys
open("made", "w").close()
print(oct(os.stat("made").st_mode & 0o777), resource.getrlimit(resource.RLIMIT_NOFILE),
      resource.getrlimit(resource.RLIMIT_CPU), os.getsid(0) == os.getpid(), os.getcwd() == sys.argv[1])
"""
    limits = {"open_files": 40, "cpu_seconds": 5, "core_bytes": 0}
    _, out, errors = served.run(code=code, limits=limits, directory=str(tmp_path), arguments=[str(tmp_path)])
    assert errors == b""
    assert out == b"0o600 (40, 40) (5, 6) True True\n"


def test_a_barrier_that_cannot_be_put_up_is_told_and_nothing_runs(served: Served, tmp_path: Path) -> None:
    told, out, errors = served.run(code="print(1)", limits={"nosuch": 1}, directory=str(tmp_path))
    assert "KeyError" in told["failed"]
    assert (told["exit"], out, errors) == (FAILED_EXIT, b"", b"")


def test_a_job_in_pieces_is_waited_for(served: Served) -> None:
    assert served.control.recv(10) == READY
    data = json.dumps(served.job(code="print('x' * 10)" + " " * 200_000)).encode()
    whole = len(data).to_bytes(8, "big") + data
    for start in range(0, len(whole), 7_001):
        served.control.sendall(whole[start : start + 7_001])
    out, _ = served.process.communicate(timeout=30)
    assert out == b"xxxxxxxxxx\n"


@pytest.mark.parametrize("before", [b"", b"\0\0\0", (100).to_bytes(8, "big") + b"{"])
def test_without_a_whole_job_it_ends_quietly(before: bytes, served: Served) -> None:
    assert served.control.recv(10) == READY
    served.control.sendall(before)
    served.control.shutdown(socket.SHUT_WR)
    out, errors = served.process.communicate(timeout=30)
    assert (served.process.returncode, out, errors) == (0, b"", b"")


def test_what_is_no_job_runs_nothing(served: Served) -> None:
    assert served.control.recv(10) == READY
    served.submit(b"no job")
    out, _ = served.process.communicate(timeout=30)
    assert out == b""
    assert served.process.returncode != 0
    assert served.control.recv(10) == b""


def test_the_runner_itself_is_closed_to_others_of_its_account(served: Served) -> None:
    assert served.control.recv(10) == READY
    # The kernel gives what belongs to such a process to root.
    assert Path(f"/proc/{served.process.pid}/environ").stat().st_uid == 0
    assert os.path.exists(f"/proc/{served.process.pid}")
