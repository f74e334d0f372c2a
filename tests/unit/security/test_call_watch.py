from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.security.call_watch import FIRST_HEARTBEAT_SECONDS, NEXT_HEARTBEAT_SECONDS, SWEEP_SECONDS, CallWatch
from mcp_server.security.running_call import RunningCall
from tests.security.chain.fake_clock import FakeClock
from tests.security.chain.fake_peer import FakePeer


class FakeTask:
    """Counts its cancellations."""

    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


class Desk:
    """A watch whose timer a test pulls."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.watch = CallWatch(clock=self.clock, schedule=lambda *timer: self.timers.append(timer))

    def call(self, *, seconds: float = 30.0, peer: Any = None) -> tuple[RunningCall, FakeTask]:
        task = FakeTask()
        now = self.clock.now
        call = RunningCall(call_id="c", peer=peer, task=task, started=now, deadline=now + seconds)  # type: ignore[arg-type]
        self.watch.add(call)
        return call, task

    def tick(self, seconds: float = SWEEP_SECONDS) -> None:
        self.clock.advance(seconds)
        ((_, function),) = self.timers
        self.timers.clear()
        function()


def test_a_call_past_its_deadline_is_cancelled_once() -> None:
    desk = Desk()
    call, task = desk.call(seconds=1.0)
    desk.tick(0.9)
    assert (task.cancelled, call.is_expired) == (0, False)
    desk.tick(0.2)
    desk.tick(0.2)
    assert task.cancelled == 1
    assert call.is_expired
    assert call.is_cancelled


def test_there_is_one_timer_for_all_calls_and_none_when_there_are_none() -> None:
    desk = Desk()
    calls = [desk.call()[0] for _ in range(5)]
    assert len(desk.timers) == 1
    assert desk.watch.count == 5
    for call in calls:
        desk.watch.remove(call)
    desk.tick()
    assert desk.timers == []
    desk.call()
    assert len(desk.timers) == 1


def test_removing_twice_is_harmless() -> None:
    desk = Desk()
    call, _ = desk.call()
    desk.watch.remove(call)
    desk.watch.remove(call)
    assert desk.watch.count == 0


def test_a_call_without_a_task_expires_without_one() -> None:
    desk = Desk()
    call = RunningCall(call_id="c", peer=None, task=None, started=desk.clock.now, deadline=desk.clock.now)
    desk.watch.add(call)
    desk.watch.sweep()
    assert call.is_expired


def test_time_spent_waiting_for_a_human_moves_the_deadline() -> None:
    desk = Desk()
    call, task = desk.call(seconds=1.0)
    call.waiting = 1
    for _ in range(100):
        desk.tick(1.0)
    assert task.cancelled == 0
    call.waiting = 0
    desk.tick(0.9)
    assert task.cancelled == 0
    desk.tick(0.2)
    assert task.cancelled == 1


def test_long_calls_give_signs_of_life() -> None:
    desk, peer = Desk(), FakePeer()
    desk.call(seconds=600.0, peer=peer)
    elapsed = 0.0
    while elapsed < 60.0:
        desk.tick(1.0)
        elapsed += 1.0
    first, second = FIRST_HEARTBEAT_SECONDS, FIRST_HEARTBEAT_SECONDS + NEXT_HEARTBEAT_SECONDS
    assert peer.news == [("heartbeat", first + number * (second - first)) for number in range(4)]


def test_an_expired_call_gives_none() -> None:
    desk, peer = Desk(), FakePeer()
    desk.call(seconds=1.0, peer=peer)
    for _ in range(20):
        desk.tick(1.0)
    assert peer.news == []


def test_a_client_that_cannot_be_told_keeps_no_deadline_from_being_looked_at(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(FakePeer):
        def heartbeat(self, elapsed_seconds: float) -> None:
            raise ConnectionError("the pipe is broken")

    desk = Desk()
    desk.call(seconds=600.0, peer=Broken())
    _, task = desk.call(seconds=7.0)
    for _ in range(8):
        desk.tick(1.0)
    assert task.cancelled == 1
    assert "cannot be told" in caplog.text


def test_by_itself_it_uses_the_timer_of_the_loop() -> None:
    async def work() -> bool:
        clock = FakeClock()
        watch = CallWatch(clock=clock)
        event = asyncio.Event()
        call = RunningCall(call_id="c", peer=None, task=asyncio.current_task(), started=0.0, deadline=0.0)
        watch.add(call)
        try:
            await event.wait()
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()  # type: ignore[union-attr]
        watch.remove(call)
        return call.is_expired

    assert asyncio.run(work())
