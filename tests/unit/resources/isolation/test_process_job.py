"""A job whose output is kept and whose input comes bit by bit, in a sandbox that the test plays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.process_job import BURST_BYTES, MAX_INPUT_BYTES, ProcessJob
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from tests.support.scripted_worker import ScriptedWorker

LONG = 60.0
Scenario = Callable[[ProcessJob, ScriptedWorker, "asyncio.Task[None]"], Awaitable[None]]


def play(scenario: Scenario, *, stdin: bytes = b"", wall_seconds: float = LONG, **limits: Any) -> ProcessJob:
    """Run a scenario beside a job, and see to it that nothing of the job is left."""

    async def main() -> ProcessJob:
        worker = ScriptedWorker()
        policy = SandboxPolicy(may_execute=True, limits=ResourceLimits(**limits))
        request = ExecutionRequest(policy=policy, program="/usr/bin/x", stdin=stdin)
        job = ProcessJob(worker=worker, request=request, job={}, wall_seconds=wall_seconds)  # type: ignore[arg-type] - as one
        task = asyncio.create_task(job.run())
        async with asyncio.timeout(LONG):
            await scenario(job, worker, task)
            worker.tell(exit=0)
            await task
        assert not job.is_running
        assert worker.is_closed
        return job

    return asyncio.run(main())


def test_output_is_there_when_it_was_written_and_stays() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        os.write(worker.inner_stdout, b"one")
        await job.wait_for_text("stdout", 0, LONG)
        assert job.rings["stdout"].text(0, 9, is_whole=False)[0] == "one"
        os.write(worker.inner_stderr, b"two")
        await job.wait_for_text("stderr", 0, LONG)
        assert job.rings["stderr"].text(0, 9, is_whole=False)[0] == "two"

    job = play(scenario)
    assert job.rings["stdout"].text(0, 9, is_whole=True)[0] == "one"
    assert (job.reason, job.exit_code, job.signal) == (EndReason.EXIT, 0, None)


def test_a_wait_ends_with_the_process() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        waiting = asyncio.ensure_future(job.wait_for_text("stdout", 0, LONG))
        await asyncio.sleep(0)
        worker.tell(exit=0)
        await waiting
        assert not job.is_running

    play(scenario)


def test_a_wait_ends_with_its_time() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        await job.wait_for_text("stdout", 0, 0.001)
        assert job.is_running

    play(scenario)


def test_half_a_character_ends_no_wait() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        os.write(worker.inner_stdout, "€".encode()[:2])
        waiting = asyncio.ensure_future(job.wait_for_text("stdout", 0, LONG))
        await settle(lambda: job.rings["stdout"].seen_bytes == 2)
        await asyncio.sleep(0)
        assert not waiting.done()
        os.write(worker.inner_stdout, "€".encode()[2:])
        await waiting

    play(scenario)


def test_input_stays_open_until_it_is_closed() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        # Before its task has begun.
        assert job.write("more", close=False) == 4
        await settle(lambda: not job._unsent)
        assert os.read(worker.inner_stdin, 99) == b"firstmore"
        with pytest.raises(BlockingIOError):
            os.read(worker.inner_stdin, 99)
        assert job.write("last", close=True) == 4
        await settle(lambda: worker.stdin < 0)
        assert os.read(worker.inner_stdin, 99) + os.read(worker.inner_stdin, 99) == b"last"
        with pytest.raises(ResourceUnavailableError, match="closed; nothing was taken"):
            job.write("x", close=False)

    play(scenario, stdin=b"first")


def test_nothing_is_a_way_to_close_it() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        assert job.write("", close=False) == 0
        assert worker.stdin >= 0
        assert job.write("", close=True) == 0
        assert os.read(worker.inner_stdin, 1) == b""

    play(scenario)


def test_who_does_not_read_is_given_no_more_than_a_bound() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        given = 0
        # The kernel's pipe holds as much again.
        for _ in range(20):
            given += job.write("€" * 21_000, close=False)
            await asyncio.sleep(0)
            assert len(job._unsent) <= MAX_INPUT_BYTES
        assert given < 20 * 21_000
        # Not all of it was taken, so the input is not closed.
        assert job.write("€", close=True) == 0
        assert worker.stdin >= 0
        received = b""
        while len(received) < given * 3:
            try:
                received += os.read(worker.inner_stdin, 1 << 20)
            except BlockingIOError:
                await asyncio.sleep(0)
        # Whole characters only, and every one that was taken.
        assert received.decode() == "€" * given
        assert job.write("€", close=True) == 1

    play(scenario)


def test_a_text_that_is_too_long_is_refused_as_a_whole() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        with pytest.raises(LimitExceededError, match="nothing was taken"):
            job.write("x" * (MAX_INPUT_BYTES + 1), close=False)
        assert not job._unsent

    play(scenario)


def test_who_reads_no_input_can_be_given_none() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        os.close(worker.inner_stdin)
        worker.inner_stdin = -1
        job.write("x", close=False)
        await settle(lambda: worker.stdin < 0)
        with pytest.raises(ResourceUnavailableError, match="closed"):
            job.write("x", close=False)

    play(scenario)


def test_a_flood_is_read_in_bursts_and_kept_within_its_bound() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        os.set_blocking(worker.inner_stdout, False)
        written, pauses = 0, 0
        while written < 3 * BURST_BYTES:
            try:
                written += os.write(worker.inner_stdout, bytes(1 << 16))
            except BlockingIOError:
                pauses += "stdout" in job._paused
                await asyncio.sleep(0)
        assert pauses
        await settle(lambda: job.rings["stdout"].seen_bytes == written)
        assert len(job.rings["stdout"]._data) == 1000

    job = play(scenario, stdout_bytes=1000)
    assert job.reason is EndReason.EXIT
    assert not job._paused


def test_whoever_stops_it_says_why() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        job.stop(EndReason.IDLE)
        job.stop(EndReason.CANCELLED)
        await task
        job.stop(EndReason.REVOKED)
        assert worker.kills

    job = play(scenario)
    assert (job.reason, job.exit_code) == (EndReason.IDLE, None)


def test_a_stop_waits_for_nothing_that_cannot_be_told() -> None:
    class Stubborn(ScriptedWorker):
        """A sandbox that is killed only when it is waited for."""

        def kill(self) -> None:
            self.kills += 1

    async def main() -> EndReason | None:
        worker = Stubborn()
        request = ExecutionRequest(policy=SandboxPolicy(may_execute=True), program="/usr/bin/x")
        job = ProcessJob(worker=worker, request=request, job={}, wall_seconds=LONG)  # type: ignore[arg-type] - as one
        task = asyncio.create_task(job.run())
        await settle(lambda: worker.job is not None)
        job.stop(EndReason.CANCELLED)
        await task
        return job.reason

    assert asyncio.run(main()) is EndReason.CANCELLED


def test_it_ends_with_its_time() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        await task

    assert play(scenario, wall_seconds=0.01).reason is EndReason.TIMEOUT


def test_a_barrier_that_could_not_be_put_in_place_is_remembered() -> None:
    async def scenario(job: ProcessJob, worker: ScriptedWorker, task: asyncio.Task[None]) -> None:
        worker.tell(failed="OSError: no")
        await task

    job = play(scenario)
    assert job.reason is None
    assert job.failure is not None
    assert "nothing was run" in str(job.failure)


async def settle(condition: Callable[[], bool]) -> None:
    """Let the loop go round until something is so."""
    async with asyncio.timeout(LONG):
        while not condition():  # noqa: ASYNC110 - a condition of the code under test, which tells nobody
            await asyncio.sleep(0)
