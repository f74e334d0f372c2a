"""What is explained is what is enforced: both are made by the same code, and here they are compared."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.run_plan import RunPlan
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker
from mcp_server.resources.kernel.landlock import Landlock
from tests.security.isolation.sandbox_rig import OWNER, SandboxRig, in_loop, opened, request

RUNNER = "from mcp_server.resources.isolation.runner import main; main()"


class Seen:
    """What is really started, and what the runner is really told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.options: list[str] = []
        self.command: list[str] = []
        self.job: Mapping[str, Any] = {}
        start, submit = Launcher.start, SandboxWorker.submit

        # The rig's launcher starts through this one.
        def seen_start(launcher: Launcher, command: list[str], **more: Any) -> Future[Popen[bytes]]:
            self.command = command
            descriptor = int(command[command.index("--args") + 1])
            data = os.pread(descriptor, 1 << 20, 0)
            self.options = data.decode().split("\0")
            self.owner = more["owner"]
            return start(launcher, command, **more)

        async def seen_submit(worker: SandboxWorker, job: Mapping[str, Any]) -> None:
            self.job = json.loads(json.dumps(job))
            await submit(worker, job)

        monkeypatch.setattr(Launcher, "start", seen_start)
        monkeypatch.setattr(SandboxWorker, "submit", seen_submit)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    return Seen(monkeypatch)


def words(plan: RunPlan) -> list[str]:
    return [word for option in plan.sandbox for word in option]


@pytest.mark.parametrize(
    "given",
    [
        {"code": "print(1)"},
        {"code": "print(1)", "memory_bytes": 1 << 28, "wall_seconds": 3.0, "processes": 5},
        {"program": "/usr/bin/true", "may_execute": True},
        {"program": "/usr/bin/true", "may_execute": True, "may_write": True, "environment": {"GIT_AUTHOR_NAME": "Ada"}},
    ],
)
@pytest.mark.parametrize("has_workspace", [False, True])
def test_a_plan_is_what_is_started(
    rig: SandboxRig, seen: Seen, folder: Path, given: dict[str, Any], has_workspace: bool
) -> None:
    with opened(folder) as workspace:
        asked = request(**given, workspace=workspace if has_workspace else None)
        plan = rig.execution.plan(asked, owner=OWNER)
        in_loop(rig.run_alone(asked))
    planned = words(plan)
    at = planned.index("--")
    # The options, of which each descriptor has a name in the plan.
    started = [planned[0], *seen.options]
    assert len(started) == at
    for real, told in zip(started, planned, strict=False):
        if told.startswith("{"):
            assert real.isdigit()
        else:
            assert real == told
    # The command behind them, in which the runner stands for its program.
    behind = seen.command[seen.command.index("--") :]
    assert behind[: len(planned) - at - 1] == planned[at:-1]
    assert RUNNER in " ".join(behind)
    assert seen.owner == OWNER
    assert plan.owner == (None if OWNER is None else OWNER[0])
    # What the runner is told.
    job = seen.job
    assert job["environment"] == plan.environment
    assert job["limits"] == plan.limits
    assert job["directory"] == plan.directory
    assert {path: Landlock.fs_names(may) for path, may in job["landlock"]["rules"]} == plan.landlock
    assert len(job["filters"]) == len(plan.filters) - 1
    assert [job["program"] or "python", *job["arguments"]] == list(plan.arguments)


def test_two_different_runs_have_different_plans(rig: SandboxRig) -> None:
    plans = [
        rig.execution.plan(request(**given)).to_json()
        for given in (
            {"code": "1"},
            {"code": "1", "open_files": 7},
            {"program": "/usr/bin/true", "may_execute": True},
            {"program": "/usr/bin/false", "may_execute": True},
        )
    ]
    assert all(first != second for at, first in enumerate(plans) for second in plans[at + 1 :])


def test_planning_starts_nothing_and_leaves_nothing_open(rig: SandboxRig, seen: Seen) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    rig.execution.plan(request(code="print(1)"))
    assert seen.command == []
    assert sorted(os.listdir("/proc/self/fd")) == before
