"""The door to processes that outlive their calls: what it asks, what it bounds, and what its failures leave behind."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.process_sessions import ProcessSessions
from mcp_server.resources.isolation.process_state import ProcessState
from mcp_server.resources.isolation.program import Program
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.security.doors.process_door import ProcessDoor
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.running_call import RunningCall
from tests.support.scripted_execution import ScriptedExecution

PROGRAMS = {
    "true": Program("true", "/usr/bin/true", (ArgumentForm("{words:text...}"),)),
    "files": Program("files", "/usr/bin/true", (ArgumentForm(""),), "write"),
    "gone": Program("gone", "/usr/bin/nosuch-program", (ArgumentForm(""),)),
}


class Gate:
    """Remembers what was asked; refuses the call, or takes the right away, when it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.refuses = False
        self.stands = True

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        self.asked.append((str(permission_type), resource))
        if self.refuses:
            raise PermissionDeniedError("no", missing=[(permission_type, resource)])

    def allows(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        return not self.refuses

    def standing(self, permission_type: PermissionType, resource: str) -> Callable[[], bool]:
        return lambda: self.stands


class Sandboxes(SandboxManager):
    """One that holds, with sandboxes that the test plays."""

    def __init__(self) -> None:
        super().__init__(config=SandboxConfig(programs=PROGRAMS))
        self.scripted = ScriptedExecution()
        self.ends: list[ProcessState] = []
        self.tell_process_ends(self.ends.append)

    @property
    def tier(self) -> IsolationTier:
        return IsolationTier.NS

    @property
    def execution(self) -> Any:
        return self.scripted

    def owner(self, client: str) -> tuple[int, int] | None:
        return None


class Rig:
    """A door, and what lies behind it."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.sandboxes = Sandboxes()
        self.call = RunningCall(call_id="c1", peer=None, task=None, started=0.0, deadline=30.0)
        self.door = self.door_of("ada")

    @property
    def sessions(self) -> ProcessSessions:
        return self.sandboxes.processes

    def door_of(self, client: str, files: Any = None) -> ProcessDoor:
        async def run_blocking(function: Callable[..., Any], *args: Any) -> Any:
            return function(*args)

        return ProcessDoor(
            gate=self.gate,  # type: ignore[arg-type] - as one
            sandboxes=self.sandboxes,
            files=files,
            client=client,
            call=self.call,
            run_blocking=run_blocking,
        )


def play(scenario: Callable[[Rig], Awaitable[Any]]) -> Rig:
    async def main() -> Rig:
        async with asyncio.timeout(60):
            rig = Rig()
            try:
                await scenario(rig)
            finally:
                await rig.sessions.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return rig

    return asyncio.run(main())


def test_the_list_of_programs_is_the_operators() -> None:
    async def scenario(rig: Rig) -> None:
        assert rig.door.programs == tuple(PROGRAMS.values())

    play(scenario)


def test_the_whole_command_is_asked_about_at_each_use() -> None:
    async def scenario(rig: Rig) -> None:
        process = (await rig.door.start("true", ["a b", "c"], stdin="in")).id
        assert rig.sandboxes.scripted.requests[0].stdin == b"in"
        await rig.door.read(process)
        await rig.door.write(process, "x")
        await rig.door.stop(process)
        assert rig.gate.asked == [("SYSTEM_COMMAND", "true 'a b' c")] * 4
        assert rig.call.isolation == "ns"

    play(scenario)


def test_a_read_that_waits_asks_again_when_it_has_waited() -> None:
    async def scenario(rig: Rig) -> None:
        process = (await rig.door.start("true")).id
        reading = asyncio.ensure_future(rig.door.read(process, wait_seconds=1000.0))
        await asyncio.sleep(0)
        rig.gate.refuses = True
        os.write(rig.sandboxes.scripted.workers[0].inner_stdout, b"secret")
        with pytest.raises(PermissionDeniedError):
            await reading

    play(scenario)


@pytest.mark.parametrize("stands", [True, False])
def test_a_refused_use_ends_the_process_only_where_the_policy_refuses_it(stands: bool) -> None:
    async def scenario(rig: Rig) -> None:
        process = (await rig.door.start("true")).id
        rig.gate.refuses, rig.gate.stands = True, stands
        with pytest.raises(PermissionDeniedError):
            await rig.door.read(process)
        assert rig.door.states() == []
        rig.gate.refuses = False
        assert len(rig.door.states()) == stands

    rig = play(scenario)
    assert [end.reason for end in rig.sandboxes.ends] == [EndReason.SHUTDOWN if stands else EndReason.REVOKED]


def test_another_clients_process_is_not_asked_about() -> None:
    async def scenario(rig: Rig) -> None:
        process = (await rig.door.start("true")).id
        rig.gate.asked.clear()
        with pytest.raises(ResourceUnavailableError, match="no such process"):
            await rig.door_of("bob").stop(process)
        assert rig.gate.asked == []
        assert rig.door_of("bob").states() == []

    play(scenario)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"stream": "stdin"}, "stdout and stderr"),
        ({"max_bytes": 3}, "4 to"),
        ({"max_bytes": 1 << 20}, "to 262144"),
        ({"offset": -1}, "only 0 bytes"),
        ({"offset": 1}, "only 0 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused(arguments: dict[str, Any], told: str) -> None:
    async def scenario(rig: Rig) -> None:
        process = (await rig.door.start("true")).id
        with pytest.raises(InvalidArgumentsError, match=told):
            await rig.door.read(process, **arguments)

    play(scenario)


@pytest.mark.parametrize(
    ("program", "arguments", "error"),
    [
        ("nosuch", [], InvalidArgumentsError),
        ("true", ["-x"], InvalidArgumentsError),
        ("gone", [], ResourceUnavailableError),
        # A client without a folder.
        ("files", [], ResourceUnavailableError),
    ],
)
def test_what_cannot_be_started_takes_no_place(program: str, arguments: list[str], error: type[Exception]) -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises(error):
            await rig.door.start(program, arguments)
        with pytest.raises(InvalidArgumentsError):
            await rig.door.start("true", stdin=bytes(1 << 30))
        assert len(rig.sessions) == 0
        assert rig.sandboxes.scripted.requests == []

    play(scenario)


def test_a_start_that_is_taken_back_leaves_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        rig.sandboxes.scripted.gate.clear()
        starting = asyncio.ensure_future(rig.door.start("true"))
        await rig.sandboxes.scripted.asked.wait()
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert len(rig.sessions) == 0

    play(scenario)


def test_copies_that_cannot_be_made_leave_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(rig: Rig) -> None:
        monkeypatch.setattr(rig.sandboxes, "stage", lambda client: (_ for _ in ()).throw(OSError("full")))
        files = SimpleNamespace(roots=[SimpleNamespace(device=1, inode=2)])
        with pytest.raises(OSError, match="full"):
            await rig.door_of("ada", files).start("files")
        assert len(rig.sessions) == 0

    play(scenario)


def test_a_process_that_could_not_be_begun_says_so_and_is_forgotten() -> None:
    async def scenario(rig: Rig) -> None:
        process = (await rig.door.start("true")).id
        rig.sandboxes.scripted.workers[0].tell(failed="no")
        await rig.sessions.find("ada", process).started_job.wait_for_text("stdout", 0, 60)
        assert [(state.running, state.reason) for state in rig.door.states()] == [(False, None)]
        with pytest.raises(ResourceUnavailableError, match="nothing was run"):
            await rig.door.read(process)
        with pytest.raises(ResourceUnavailableError, match="nothing was run"):
            await rig.door.stop(process)
        assert rig.door.states() == []

    play(scenario)


def test_the_end_of_both_streams_is_told_by_the_stop() -> None:
    async def scenario(rig: Rig) -> None:
        process = (await rig.door.start("true")).id
        worker = rig.sandboxes.scripted.workers[0]
        os.write(worker.inner_stdout, b"a" * 20_000)
        os.write(worker.inner_stderr, b"b")
        end = await rig.door.stop(process)
        assert (end.stdout.text, end.stderr.text) == ("a" * (1 << 14), "b")
        assert (end.process.running, end.process.reason, len(end.effects)) == (False, EndReason.CANCELLED, 0)

    play(scenario)


def test_files_that_are_gone_are_not_written_back() -> None:
    async def scenario(rig: Rig) -> None:
        files = SimpleNamespace(roots=[SimpleNamespace(device=1, inode=2)])
        process = (await rig.door.start("true")).id
        session = rig.sessions.find("ada", process)
        session.may_write, session.home = True, (1, 2)
        with pytest.raises(ResourceUnavailableError, match="are gone"):
            await rig.door_of("ada", files).stop(process)
        assert (await rig.door_of("ada", files).stop(process, discard=True)).process.id == process

    play(scenario)
