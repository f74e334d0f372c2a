"""The tier without namespaces, where all that stands is Landlock, filters and limits, and the runner's own broom."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.execution_manager import ExecutionManager
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.landlock_rules import LandlockRules
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.sandbox_manager import SandboxManager
from tests.support.sandboxes import ACCOUNTS

LSM = IsolationTier.LSM
WAIT_MS = 10_000


@pytest.fixture
def sandboxes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxManager]:
    """The manager of a machine that has no namespaces to offer."""
    monkeypatch.setattr(Bubblewrap, "problem", lambda self: "there is none here")
    accounts = ACCOUNTS if os.getuid() == 0 else None
    config = SandboxConfig(min_tier=LSM, accounts=accounts, warm_workers=0, staging=str(folder.parent / "staging"))
    manager = SandboxManager(config=config)
    yield manager
    manager.close()


def run(sandboxes: SandboxManager, code: str | None = None, **more: Any) -> ExecutionResult:
    limits = ResourceLimits(wall_seconds=more.pop("wall_seconds", 20.0))
    policy = SandboxPolicy(min_tier=LSM, limits=limits, may_execute="program" in more)
    request = ExecutionRequest(policy=policy, code=code, **more)

    async def main() -> ExecutionResult:
        try:
            return await sandboxes.execution.run(request, owner=sandboxes.owner("ada"))
        finally:
            await sandboxes.rest()

    return asyncio.run(main())


def shell(sandboxes: SandboxManager, script: str, **more: Any) -> ExecutionResult:
    return run(sandboxes, program="/usr/bin/sh", arguments=("-c", script), **more)


def is_alive(pid: int) -> bool:
    """Whether a process is there still, which gets some time to end."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    ended = bool(waiting.poll(WAIT_MS))
    os.close(descriptor)
    return not ended


def test_it_holds_against_every_attack_of_the_probe(sandboxes: SandboxManager) -> None:
    assert sandboxes.tier is LSM, sandboxes.findings
    assert sandboxes.is_sufficient
    assert asyncio.run(sandboxes.attack()) == []


def test_without_landlock_the_probe_gets_through(sandboxes: SandboxManager, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sandboxes.tier is LSM
    monkeypatch.setattr(LandlockRules, "compile", lambda self, policy, view: None)
    assert {"file", "writing outside"} <= set(asyncio.run(sandboxes.attack()))


def test_without_the_filters_it_does_too(sandboxes: SandboxManager) -> None:
    assert sandboxes.tier is LSM
    factory: Any = sandboxes.execution.factory
    factory._filters = ()
    assert "user namespace" in asyncio.run(sandboxes.attack())


def test_it_is_not_used_where_more_is_demanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bubblewrap, "problem", lambda self: "there is none here")
    accounts = ACCOUNTS if os.getuid() == 0 else None
    manager = SandboxManager(config=SandboxConfig(accounts=accounts, staging=str(folder.parent / "staging")))
    assert manager.tier is LSM
    assert not manager.is_sufficient
    assert any('min_tier = "lsm"' in finding for finding in manager.findings)
    manager.close()


def test_a_program_runs_in_a_directory_of_its_own_that_is_gone_afterwards(
    sandboxes: SandboxManager, folder: Path
) -> None:
    done = run(sandboxes, "import os; open('x', 'w').write('1'); print(os.getcwd(), os.listdir())")
    assert done.tier is LSM
    where, listed = done.stdout.text().split(" ", 1)
    assert where.startswith(str(folder.parent / "staging"))
    assert listed == "['x']\n"
    assert list((folder.parent / "staging").iterdir()) == []


def test_modes_and_times_of_what_can_be_walked_to_stay_as_they_are(sandboxes: SandboxManager, folder: Path) -> None:
    target = folder / "mine.txt"
    target.write_text("mine")
    if os.getuid() == 0:
        os.chown(target, *(sandboxes.owner("ada") or (0, 0)))
    target.chmod(0o600)
    os.utime(target, (1, 1))
    attack = (
        "import os\n"
        f"p = {str(target)!r}\n"
        "for call in (lambda: os.chmod(p, 0o777), lambda: os.utime(p, (5, 5)), lambda: os.chown(p, -1, -1),\n"
        "             lambda: os.setxattr(p, 'user.x', b'1'), lambda: os.unlink(p), lambda: os.rename(p, p + '2')):\n"
        "    try:\n        call()\n        print('done')\n    except OSError as error:\n        print(error.errno)\n"
    )
    done = run(sandboxes, attack)
    assert "done" not in done.stdout.text()
    assert (target.stat().st_mode & 0o777, target.stat().st_mtime) == (0o600, 1)


def test_and_do_not_without_the_filter(sandboxes: SandboxManager, folder: Path) -> None:
    assert sandboxes.tier is LSM
    target = folder / "mine.txt"
    target.write_text("mine")
    if os.getuid() == 0:
        os.chown(target, *(sandboxes.owner("ada") or (0, 0)))
    target.chmod(0o600)
    factory: Any = sandboxes.execution.factory
    factory._filters = factory._filters[:1]
    run(sandboxes, f"import os; os.chmod({str(target)!r}, 0o777)")
    assert target.stat().st_mode & 0o777 == 0o777


FLOOD = "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done"


@pytest.mark.parametrize("end", ["exit 0", "exit 3", "kill -9 $$", "sleep 1000", FLOOD])
def test_no_daemon_outlives_its_run(sandboxes: SandboxManager, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    # By the runner alone, without the help of a control group.
    monkeypatch.setattr(ControlGroups, "find", lambda: None)
    script = "for i in 1 2 3; do (setsid sh -c 'echo pid $$; exec sleep 1000' &) ; done; sleep 1; " + end
    done = shell(sandboxes, script, wall_seconds=3.0)
    pids = [int(line.split()[1]) for line in done.stdout.text().splitlines() if line.startswith("pid ")]
    assert len(pids) == 3
    assert [pid for pid in pids if is_alive(pid)] == []


def test_without_the_runners_broom_daemons_do(sandboxes: SandboxManager, monkeypatch: pytest.MonkeyPatch) -> None:
    # A control group would end them as well.
    monkeypatch.setattr(ControlGroups, "find", lambda: None)
    job = ExecutionManager.job
    monkeypatch.setattr(ExecutionManager, "job", lambda *given: {**job(*given), "shares_processes": False})
    done = shell(sandboxes, "(setsid sh -c 'echo pid $$; exec sleep 1000' &); sleep 1")
    pid = int(done.stdout.text().split()[1])
    descriptor = os.pidfd_open(pid)
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    assert waiting.poll(0) == []
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    os.close(descriptor)


def test_processes_that_fork_away_are_caught(sandboxes: SandboxManager) -> None:
    nap = f"sleep 1{os.getpid()}"
    script = f"i=0; while [ $i -lt 15 ]; do (setsid sh -c '{nap} & {nap} & exit' &); i=$((i+1)); done; sleep 1"
    done = shell(sandboxes, script, wall_seconds=10.0)
    assert done.reason is EndReason.EXIT
    assert [pid for pid in _running(nap) if is_alive(pid)] == []


def _running(command: str) -> list[int]:
    """Return the processes with that command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if " ".join(words).strip() == command:
            found.append(int(pid))
    return found


def test_nothing_outlives_a_server_that_is_killed(folder: Path) -> None:
    # The server is a process of its own here, so that it can be killed.
    server = f"""
import asyncio, sys
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
Bubblewrap.problem = lambda self: "none"
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.sandbox_manager import SandboxManager
import os
accounts = {ACCOUNTS!r} if os.getuid() == 0 else None
LSM = IsolationTier.LSM
config = SandboxConfig(min_tier=LSM, accounts=accounts, warm_workers=0, staging={str(folder.parent / "staging")!r})
sandboxes = SandboxManager(config=config)
sandboxes.examine()
def tell(stream, piece):
    sys.stdout.buffer.write(piece); sys.stdout.flush()
policy = SandboxPolicy(min_tier=LSM, may_execute=True)
script = "(setsid sh -c 'echo pid $$; exec sleep 1000' &); echo pid $$; sleep 1000"
request = ExecutionRequest(policy=policy, program="/usr/bin/sh", arguments=("-c", script), on_output=tell)
asyncio.run(sandboxes.execution.run(request, owner=sandboxes.owner("ada")))
"""
    checkout = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE, cwd=checkout) as started:
        assert started.stdout is not None
        pids = [int(started.stdout.readline().split()[1]) for _ in range(2)]
        started.send_signal(signal.SIGKILL)
        started.wait()
    assert [pid for pid in pids if is_alive(pid)] == []
