"""A job that is talked with, in a sandbox that the test plays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mcp_server.resources.isolation.conversation import MAX_MESSAGE_BYTES, MAX_UNREAD_BYTES, Conversation
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.framing import LENGTH_BYTES, framed
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from tests.support.scripted_worker import ScriptedWorker

LONG = 60.0


class Scene:
    """A conversation and what was heard of it."""

    def __init__(self, worker: ScriptedWorker, talk: Conversation) -> None:
        self.worker = worker
        self.talk = talk
        self.heard: list[bytes] = []
        self.news = asyncio.Event()

    def hear(self, message: bytes) -> None:
        self.heard.append(message)
        self.news.set()
        if message == b"last":
            self.talk.end()

    async def say(self, data: bytes) -> None:
        """Write from inside, as far as the pipe takes it, and on."""
        await asyncio.to_thread(_write_all, self.worker.inner_stdout, data)

    async def until(self, count: int) -> None:
        while len(self.heard) < count:
            self.news.clear()
            await self.news.wait()


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def play(scenario: Callable[[Scene], Awaitable[None]], **limits: Any) -> tuple[EndReason, Scene]:
    async def main() -> tuple[EndReason, Scene]:
        worker = ScriptedWorker()
        request = ExecutionRequest(policy=SandboxPolicy(limits=ResourceLimits(**limits)), code="pass")
        talk = Conversation(worker=worker, request=request, job={}, wall_seconds=LONG)  # type: ignore[arg-type] - as one
        scene = Scene(worker, talk)
        task = asyncio.create_task(talk.run(scene.hear))
        async with asyncio.timeout(LONG):
            await scenario(scene)
            if not worker.has_been_told:
                worker.tell(exit=0)
            reason = await task
        assert worker.is_closed
        return reason, scene

    return asyncio.run(main())


def test_messages_are_heard_one_by_one_however_they_are_cut() -> None:
    async def scenario(scene: Scene) -> None:
        whole = framed(b"one") + framed(b"") + framed(b"three")
        for at in range(len(whole)):
            await scene.say(whole[at : at + 1])
        await scene.until(3)

    assert play(scenario)[1].heard == [b"one", b"", b"three"]


def test_a_long_message_is_heard_whole() -> None:
    message = bytes(3 << 20)

    async def scenario(scene: Scene) -> None:
        await scene.say(framed(message))
        await scene.until(1)

    assert play(scenario)[1].heard == [message]


def test_what_is_said_arrives_in_order_and_also_before_it_runs() -> None:
    async def main() -> bytes:
        worker = ScriptedWorker()
        request = ExecutionRequest(policy=SandboxPolicy(), code="pass")
        talk = Conversation(worker=worker, request=request, job={}, wall_seconds=LONG)  # type: ignore[arg-type] - as one
        talk.send(b"first")
        task = asyncio.create_task(talk.run(lambda message: None))
        talk.send(b"second" * 50_000)
        expected = framed(b"first") + framed(b"second" * 50_000)
        os.set_blocking(worker.inner_stdin, True)
        got = b""
        async with asyncio.timeout(LONG):
            while len(got) < len(expected):
                got += await asyncio.to_thread(os.read, worker.inner_stdin, 1 << 16)
            worker.tell(exit=0)
            await task
        assert got == expected
        return got

    asyncio.run(main())


def test_a_length_that_no_message_has_ends_it() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.say((MAX_MESSAGE_BYTES + 1).to_bytes(LENGTH_BYTES, "big"))
        await scene.worker.is_over()

    reason, scene = play(scenario)
    assert (reason, scene.heard, scene.worker.kills >= 1) == (EndReason.OUTPUT, [], True)


def test_nothing_is_heard_after_it_was_ended() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.say(framed(b"last") + framed(b"more"))
        await scene.worker.is_over()

    assert play(scenario)[1].heard == [b"last"]


def test_one_that_does_not_read_is_ended_and_nothing_is_kept_for_it() -> None:
    async def scenario(scene: Scene) -> None:
        for _ in range(MAX_UNREAD_BYTES // (1 << 22) + 1):
            scene.talk.send(bytes(1 << 22))
        await scene.worker.is_over()

    assert play(scenario)[0] is EndReason.OUTPUT


def test_what_is_said_to_one_that_has_ended_is_lost() -> None:
    async def scenario(scene: Scene) -> None:
        scene.talk.end()
        scene.talk.send(b"late")
        await asyncio.sleep(0)

    reason, scene = play(scenario)
    scene.talk.send(b"later")
    scene.talk.end()
    assert reason is EndReason.CANCELLED


def test_complaints_are_kept_in_part_and_a_flood_of_them_ends_it() -> None:
    async def scenario(scene: Scene) -> None:
        await asyncio.to_thread(_write_all, scene.worker.inner_stderr, b"x" * 17_000)
        await scene.worker.is_over()

    reason, scene = play(scenario, stderr_bytes=1000)
    assert reason is EndReason.OUTPUT
    assert scene.talk.complaints.is_truncated


@pytest.mark.parametrize("told", [{"exit": 1}, {"signal": 11}])
def test_its_end_is_judged_as_any_other(told: dict[str, int]) -> None:
    async def scenario(scene: Scene) -> None:
        scene.worker.tell(**told)

    assert play(scenario)[0] is (EndReason.EXIT if "exit" in told else EndReason.SIGNAL)
