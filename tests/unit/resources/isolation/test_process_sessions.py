"""Places, owners and ends of processes that outlive their calls, on a clock that the test winds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.process_session import ProcessSession
from mcp_server.resources.isolation.process_sessions import (
    IDLE_SECONDS,
    MAX_SESSIONS,
    MAX_SESSIONS_PER_CLIENT,
    ProcessSessions,
)
from mcp_server.resources.isolation.process_state import ProcessState
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from tests.support.scripted_execution import ScriptedExecution

REQUEST = ExecutionRequest(policy=SandboxPolicy(may_execute=True), program="/usr/bin/x")


class Rig:
    """Sessions whose sandboxes, clock and policy are the test's."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.permitted = True
        self.ends: list[ProcessState] = []
        self.execution = ScriptedExecution()
        self.sessions = ProcessSessions(
            execution=self.execution,  # type: ignore[arg-type] - as one
            tier=IsolationTier.NS,
            session_seconds=3600.0,
            on_end=self.ends.append,
            clock=lambda: self.now,
        )

    def admit(self, client: str = "ada") -> ProcessSession:
        return self.sessions.admit(
            client=client, program="x", arguments=("-a",), command="x -a", is_permitted=lambda: self.permitted
        )

    async def started(self, client: str = "ada") -> ProcessSession:
        session = self.admit(client)
        await self.sessions.start(session, REQUEST)
        return session

    def reasons(self) -> list[EndReason | None]:
        return [state.reason for state in self.ends]


class FakeArea:
    """A staging directory that counts."""

    def __init__(self) -> None:
        self.discards = 0

    def fileno(self) -> int:
        return 77

    def discard(self) -> None:
        self.discards += 1


def play(scenario: Callable[[Rig], Awaitable[Any]]) -> Rig:
    """Run a scenario; afterwards nothing is left, neither processes nor tasks."""

    async def main() -> Rig:
        async with asyncio.timeout(60):
            rig = Rig()
            try:
                await scenario(rig)
            finally:
                await rig.sessions.close()
        assert len(rig.sessions) == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert all(worker.is_closed for worker in rig.execution.workers)
        return rig

    return asyncio.run(main())


def test_a_client_finds_its_own_processes_and_no_others() -> None:
    async def scenario(rig: Rig) -> None:
        mine, other = await rig.started("ada"), await rig.started("bob")
        assert rig.sessions.find("ada", mine.id) is mine
        assert rig.sessions.of("ada") == [mine]
        with pytest.raises(ResourceUnavailableError) as not_mine:
            rig.sessions.find("ada", other.id)
        with pytest.raises(ResourceUnavailableError) as never_was:
            rig.sessions.find("ada", "0" * 32)
        assert str(not_mine.value) == str(never_was.value)

    play(scenario)


def test_ids_are_long_and_none_comes_twice() -> None:
    async def scenario(rig: Rig) -> None:
        ids = set()
        for _ in range(100):
            session = rig.admit()
            ids.add(session.id)
            await rig.sessions.discard(session)
        assert len(ids) == 100
        assert {len(each) for each in ids} == {32}

    play(scenario)


def test_a_client_has_so_many_places_and_another_has_its_own() -> None:
    async def scenario(rig: Rig) -> None:
        mine = [rig.admit() for _ in range(MAX_SESSIONS_PER_CLIENT)]
        with pytest.raises(LimitExceededError, match="stop one of them first") as refusal:
            rig.admit()
        assert refusal.value.limit == "client_processes"
        rig.admit("bob")
        await rig.sessions.discard(mine[0])
        rig.admit()

    play(scenario)


def test_all_clients_together_have_so_many() -> None:
    async def scenario(rig: Rig) -> None:
        for number in range(MAX_SESSIONS):
            rig.admit(f"client{number // MAX_SESSIONS_PER_CLIENT}")
        with pytest.raises(LimitExceededError) as refusal:
            rig.admit("one more")
        assert refusal.value.limit == "processes"

    play(scenario)


def test_one_that_has_ended_keeps_its_place_and_its_output() -> None:
    async def scenario(rig: Rig) -> None:
        session = await rig.started()
        rig.execution.workers[0].tell(exit=3)
        await session.started_job.wait_for_text("stdout", 0, 60)
        assert rig.sessions.find("ada", session.id).state.exit_code == 3
        assert len(rig.sessions) == 1

    assert play(scenario).reasons() == [EndReason.EXIT]


def test_what_is_being_started_is_not_to_be_found_yet() -> None:
    async def scenario(rig: Rig) -> None:
        session = rig.admit()
        assert rig.sessions.of("ada") == []
        with pytest.raises(ResourceUnavailableError):
            rig.sessions.find("ada", session.id)

    play(scenario)


def test_a_start_that_fails_gives_its_place_back() -> None:
    async def scenario(rig: Rig) -> None:
        rig.execution.failure = ResourceUnavailableError("missing", "no sandbox")
        session = rig.admit()
        with pytest.raises(ResourceUnavailableError, match="no sandbox"):
            await rig.sessions.start(session, REQUEST)
        await rig.sessions.discard(session)
        assert len(rig.sessions) == 0

    assert play(scenario).ends == []


def test_one_that_nobody_uses_is_ended_and_later_forgotten() -> None:
    async def scenario(rig: Rig) -> None:
        session = await rig.started()
        rig.now += IDLE_SECONDS - 1
        await rig.sessions.sweep()
        assert session.is_running
        rig.now += 1
        await rig.sessions.sweep()
        await rig.sessions.end(session)
        # Whoever comes back can see what became of it.
        assert rig.sessions.find("ada", session.id).state.reason is EndReason.IDLE
        rig.now += IDLE_SECONDS - 1
        await rig.sessions.sweep()
        assert len(rig.sessions) == 1
        rig.now += 1
        await rig.sessions.sweep()
        assert len(rig.sessions) == 0

    assert play(scenario).reasons() == [EndReason.IDLE]


def test_one_that_is_used_is_not_idle() -> None:
    async def scenario(rig: Rig) -> None:
        session = await rig.started()
        for _ in range(5):
            rig.now += IDLE_SECONDS - 1
            session.touch()
            await rig.sessions.sweep()
        assert session.is_running

    play(scenario)


def test_one_that_is_being_collected_is_not_idle_however_long_that_takes() -> None:
    async def scenario(rig: Rig) -> None:
        session = await rig.started()
        with session.collected():
            rig.now += 10 * IDLE_SECONDS
            await rig.sessions.sweep()
            assert session.is_running
            with pytest.raises(ResourceUnavailableError, match="another call"), session.collected():
                pass
        await rig.sessions.sweep()
        assert session.is_running

    play(scenario)


def test_one_that_is_permitted_no_more_is_ended_and_forgotten_at_once() -> None:
    async def scenario(rig: Rig) -> None:
        session = await rig.started()
        await rig.sessions.sweep()
        assert session.is_running
        rig.permitted = False
        await rig.sessions.sweep()
        assert not session.is_running
        assert len(rig.sessions) == 0

    assert play(scenario).reasons() == [EndReason.REVOKED]


def test_that_is_noticed_without_anybody_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcp_server.resources.isolation.process_sessions.SWEEP_SECONDS", 0.001)

    async def scenario(rig: Rig) -> None:
        session = await rig.started()
        rig.permitted = False
        await session.started_job.wait_for_text("stdout", 0, 60)
        assert not session.is_running

    assert play(scenario).reasons() == [EndReason.REVOKED]


def test_one_that_is_being_started_is_left_to_whoever_starts_it() -> None:
    async def scenario(rig: Rig) -> None:
        session = rig.admit()
        rig.permitted = False
        await rig.sessions.sweep()
        assert len(rig.sessions) == 1
        # It is looked at as soon as it has begun.
        await rig.sessions.start(session, REQUEST)
        await rig.sessions.sweep()
        assert len(rig.sessions) == 0

    assert play(scenario).reasons() == [EndReason.REVOKED]


def test_a_look_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("mcp_server.resources.isolation.process_sessions.SWEEP_SECONDS", 0.001)

    async def scenario(rig: Rig) -> None:
        answers = iter([RuntimeError("no answer")])

        def is_permitted() -> bool:
            for error in answers:
                raise error
            return False

        session = await rig.started()
        session.is_permitted = is_permitted
        await session.started_job.wait_for_text("stdout", 0, 60)
        assert not session.is_running

    assert play(scenario).reasons() == [EndReason.REVOKED]
    assert "could not be looked at" in caplog.text


def test_the_server_ends_all_of_them_and_starts_no_more() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.started("ada")
        await rig.started("bob")
        await rig.sessions.close()
        with pytest.raises(ResourceUnavailableError, match="stopping"):
            rig.admit()

    assert play(scenario).reasons() == [EndReason.SHUTDOWN, EndReason.SHUTDOWN]


def test_a_start_that_is_under_way_when_the_server_ends_leaves_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        area = FakeArea()
        session = rig.admit()
        session.area = area  # type: ignore[assignment] - as one
        rig.execution.gate.clear()
        starting = asyncio.ensure_future(rig.sessions.start(session, REQUEST))
        await rig.execution.asked.wait()
        closing = asyncio.ensure_future(rig.sessions.close())
        for _ in range(5):
            await asyncio.sleep(0)
        # The directory is not taken away under the hands of who makes a sandbox of it.
        assert (area.discards, closing.done()) == (0, False)
        assert rig.execution.requests[0].workspace == 77
        rig.execution.gate.set()
        await starting
        await closing
        assert area.discards == 1

    assert play(scenario).reasons() == [EndReason.SHUTDOWN]


def test_a_start_after_the_end_of_the_server_is_refused() -> None:
    async def scenario(rig: Rig) -> None:
        session = rig.admit()
        await rig.sessions.close()
        with pytest.raises(ResourceUnavailableError, match="stopping"):
            await rig.sessions.start(session, REQUEST)
        assert rig.execution.requests == []

    play(scenario)


def test_the_copies_are_taken_away_once_and_not_while_somebody_uses_them() -> None:
    async def scenario(rig: Rig) -> None:
        area = FakeArea()
        session = await rig.started()
        session.area = area  # type: ignore[assignment] - as one
        begun, go_on = threading.Event(), threading.Event()
        seen: list[int] = []

        def work() -> None:
            begun.set()
            assert go_on.wait(30)
            seen.append(area.discards)

        using = asyncio.ensure_future(asyncio.to_thread(session.exclusively, work))
        await asyncio.to_thread(begun.wait)
        discarding = [asyncio.ensure_future(rig.sessions.discard(session)) for _ in range(3)]
        await rig.sessions.end(session)
        go_on.set()
        await asyncio.gather(using, *discarding)
        assert (seen, area.discards) == ([0], 1)

    play(scenario)


def test_no_copies_are_made_for_one_that_is_leaving() -> None:
    async def scenario(rig: Rig) -> None:
        area = FakeArea()
        session = rig.admit()
        session.stage(lambda: area)  # type: ignore[arg-type,return-value] - as one
        await rig.sessions.discard(session)
        # As a thread does that got its turn only now.
        session.stage(lambda: pytest.fail("made"))
        assert area.discards == 1

    play(scenario)


def test_a_call_that_is_cancelled_while_it_takes_one_away_leaves_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        session = await rig.started()
        discarding = asyncio.ensure_future(rig.sessions.discard(session))
        await asyncio.sleep(0)
        discarding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await discarding
        with pytest.raises(ResourceUnavailableError):
            rig.sessions.find("ada", session.id)

    assert play(scenario).reasons() == [EndReason.CANCELLED]
