"""Two hundred runs of all kinds leave nothing: no process, no zombie, no descriptor, no thread, no file."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.process_tree import ProcessTree
from tests.security.isolation.sandbox_rig import SandboxRig, in_loop, opened, request, rig_with

RUNS = 1_000
AT_ONCE = 4

DAEMON = "import os\nif os.fork() == 0:\n    os.setsid()\n    os.execv('/bin/sleep', ['sleep', '1000'])\n"


@pytest.fixture
def orphans_come_to_us() -> Iterator[None]:
    """Whatever loses its parent becomes a child of this process, and so cannot be overlooked."""
    prctl = Prctl()
    prctl.set_child_subreaper(True)
    yield
    prctl.set_child_subreaper(False)


def descriptors() -> Counter[str]:
    """Return what is open, by its kind."""
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):
        try:
            found[os.readlink(f"/proc/self/fd/{name}").split(":")[0]] += 1
        except FileNotFoundError:
            # The descriptor that the list was read through.
            continue
    return found


async def one(rig: SandboxRig, number: int, workspace: int) -> str:
    """Make one run of one of the kinds, and return how it ended."""
    kind = number % 10
    if kind == 0:
        return str((await rig.run(request(code="print('x' * 1000)"))).reason)
    if kind == 1:
        return str((await rig.run(request(code="raise SystemExit(3)", stdin=b"x" * 100_000))).reason)
    if kind == 2:
        return str((await rig.run(request(code="import signal; signal.pause()", wall_seconds=0.05))).reason)
    if kind == 3:
        flood = request(code="import os\nwhile True: os.write(1, bytes(65536))", stdout_bytes=1000)
        return str((await rig.run(flood)).reason)
    if kind == 4:
        return str((await rig.run(request(code=DAEMON, may_execute=True, processes=100))).reason)
    if kind == 5:
        told = asyncio.Event()
        running = asyncio.ensure_future(
            rig.run(
                request(
                    code=f"{DAEMON}\nprint(1, flush=True)\nimport signal; signal.pause()",
                    may_execute=True,
                    processes=100,
                    on_output=lambda name, piece: told.set(),
                )
            )
        )
        await told.wait()
    elif kind == 6:
        # While it is being made: a little later each time.
        running = asyncio.ensure_future(rig.run(request(code="import signal; signal.pause()")))
        for _ in range(number // 10):
            await asyncio.sleep(0)
    elif kind == 7:
        crash = request(code="import os; os.abort()", workspace=workspace, may_write=True)
        return str((await rig.run(crash)).reason)
    elif kind == 8:
        return str((await rig.run(request(program="/nosuch", may_execute=True))).reason)
    else:
        try:
            await rig.run(request(code="print(1)", workspace=1 << 20))
        except ResourceUnavailableError:
            return "refused"
        return "not refused"
    running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        return "cancelled"
    return "not cancelled"


async def all_of(rig: SandboxRig, count: int, workspace: int) -> Counter[str]:
    gate = asyncio.Semaphore(AT_ONCE)
    ends: Counter[str] = Counter()

    async def gated(number: int) -> None:
        async with gate:
            ends[await one(rig, number, workspace)] += 1

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(gated(number))
    await rig.execution.close()
    return ends


@pytest.mark.parametrize("warm_workers", [0, 2])
def test_many_runs_of_all_kinds_leave_nothing(
    warm_workers: int, folder: Path, orphans_come_to_us: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = folder.parent / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with rig_with() as rig, opened(folder) as workspace:
        # What is made once, and stays, is there before the count.
        in_loop(all_of(rig, 10, workspace))
        gc.collect()
        threads, tasks, files = threading.active_count(), len(os.listdir("/proc/self/task")), descriptors()
        with rig_with(warm_workers=warm_workers) as busy:
            ends = in_loop(all_of(busy, RUNS // 2, workspace))
        gc.collect()
        assert ends == {
            "exit": 4 * RUNS // 20,
            "timeout": RUNS // 20,
            "output": RUNS // 20,
            "cancelled": 2 * RUNS // 20,
            "signal": RUNS // 20,
            "refused": RUNS // 20,
        }
        assert ProcessTree().descendants(os.getpid()) == []
        assert (threading.active_count(), len(os.listdir("/proc/self/task"))) == (threads, tasks)
        assert descriptors() == files
    assert list(temporary.iterdir()) == []
    assert list(folder.iterdir()) == []
