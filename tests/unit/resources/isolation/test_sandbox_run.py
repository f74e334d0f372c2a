"""How a run's end is judged, by what the runner tells and what stopped it."""

from __future__ import annotations

import asyncio
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.sandbox_run import SandboxRun
from tests.security.isolation.sandbox_rig import in_loop, request, rig_with


def judge(told: dict[str, Any], *, stopped_by: EndReason | None = None, oom_kills: int | None = None) -> EndReason:
    group = None if oom_kills is None else SimpleNamespace(oom_kills=oom_kills)
    run = SandboxRun(
        worker=SimpleNamespace(group=group),  # type: ignore[arg-type]
        request=request(code="1", cpu_seconds=5),
        job={},
        tier=IsolationTier.NS,
    )
    run._stopped_by = stopped_by
    return run._reason(told)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"exit": 0, "cpu": 0.1}, EndReason.EXIT),
        ({"exit": 255, "cpu": 100.0}, EndReason.EXIT),
        ({"signal": signal.SIGSEGV, "cpu": 0.1}, EndReason.SIGNAL),
        ({"signal": signal.SIGKILL, "cpu": 4.9}, EndReason.SIGNAL),
        ({"signal": signal.SIGKILL, "cpu": 5.0}, EndReason.CPU),
        ({"signal": signal.SIGKILL}, EndReason.SIGNAL),
        ({"signal": signal.SIGXCPU, "cpu": 5.0}, EndReason.CPU),
        ({"signal": signal.SIGSYS, "cpu": 0.1}, EndReason.POLICY),
        ({}, EndReason.POLICY),
    ],
)
def test_what_the_runner_tells_is_told(told: dict[str, Any], reason: EndReason) -> None:
    assert judge(told) is reason
    assert judge(told, oom_kills=0) is reason


@pytest.mark.parametrize("stopped_by", [EndReason.TIMEOUT, EndReason.OUTPUT])
@pytest.mark.parametrize("told", [{}, {"exit": 0}, {"signal": signal.SIGKILL, "cpu": 100.0}])
def test_what_stopped_it_comes_first(stopped_by: EndReason, told: dict[str, Any]) -> None:
    assert judge(told, stopped_by=stopped_by, oom_kills=1) is stopped_by


def test_memory_is_the_reason_unless_it_did_well_without_who_was_killed() -> None:
    assert judge({"signal": signal.SIGKILL}, oom_kills=1) is EndReason.MEMORY
    assert judge({"exit": 1}, oom_kills=1) is EndReason.MEMORY
    assert judge({}, oom_kills=2) is EndReason.MEMORY
    assert judge({"exit": 0}, oom_kills=1) is EndReason.EXIT


def test_a_job_longer_than_a_pipe_and_one_that_is_not_read_both_end() -> None:
    with rig_with() as rig:
        long = "#" * 500_000 + "\nprint(1)"
        assert rig.run_python(long).stdout.text() == "1\n"
        # The time is over before the program can be begun.
        assert rig.run_python(long, wall_seconds=0.000_001).reason is EndReason.TIMEOUT


def test_whoever_is_told_of_output_and_fails_is_heard_of_and_the_run_goes_on() -> None:
    heard: list[dict[str, Any]] = []

    def fails(name: str, piece: bytes) -> None:
        raise RuntimeError("listener")

    async def work() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(context))
        with rig_with() as rig:
            return await rig.run(request(code="print(1)", on_output=fails))

    result = in_loop(work())
    assert result.is_success
    assert result.stdout.text() == "1\n"
    assert [str(each["exception"]) for each in heard] == ["listener"]


def test_a_call_that_is_cancelled_twice_leaves_no_process() -> None:
    async def work() -> tuple[Any, int | None]:
        with rig_with() as rig:
            told = asyncio.Event()
            workers: list[Any] = []
            real = rig.factory.make

            async def make(shape: Any) -> Any:
                workers.append(await real(shape))
                return workers[-1]

            rig.factory.make = make  # type: ignore[method-assign]
            code = "import signal; print(1, flush=True); signal.pause()"
            task = asyncio.ensure_future(rig.run(request(code=code, on_output=lambda name, piece: told.set())))
            await told.wait()
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return workers[0], workers[0].process.returncode

    worker, code = in_loop(work())
    assert code is not None
    assert worker.stdout == worker.stdin == -1
