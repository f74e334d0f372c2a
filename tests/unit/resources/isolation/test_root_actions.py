from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.control_group import ControlGroup
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.root_action import RootAction
from mcp_server.resources.isolation.root_action_result import RootActionResult
from mcp_server.resources.isolation.root_actions import PATH, RootActions
from mcp_server.resources.isolation.sudo_config import SudoConfig
from tests.support.fake_sudo import FakeSudo

ECHO = RootAction("say", "/usr/bin/echo", ArgumentForm("restart {unit:nginx|redis}"))
SLEEP = RootAction("sleep", "/usr/bin/sleep", ArgumentForm("60"), timeout_seconds=0.2)
FLOOD = RootAction("flood", "/usr/bin/yes")
FAIL = RootAction("fail", "/usr/bin/false")
TALL = RootAction("tall", "/usr/bin/cat", ArgumentForm("/dev/null"), calls_per_hour=2)
ACTIONS = {each.name: each for each in (ECHO, SLEEP, FLOOD, FAIL, TALL)}


class FakeGroups:
    """Makes a group that keeps who was added, and kills nobody."""

    def __init__(self, *, version: int = 2, fails: bool = False) -> None:
        self.version = version
        self.fails = fails
        self.pids: list[int] = []
        self.ended = 0

    def make(self) -> Any:
        if self.fails:
            raise PermissionError(13, "no")
        return self

    def add(self, pid: int) -> None:
        # What waits for its word has not become sudo.
        self.pids.append(pid)

    async def end(self) -> None:
        self.ended += 1


@pytest.fixture
def sudo(tmp_path: Path) -> FakeSudo:
    return FakeSudo(tmp_path)


@pytest.fixture
def make(sudo: FakeSudo) -> Iterator[Callable[..., RootActions]]:
    made: list[RootActions] = []

    def work(**more: Any) -> RootActions:
        settings: dict[str, Any] = {
            "config": SudoConfig(is_enabled=True, actions=ACTIONS),
            "tier": IsolationTier.NS,
            "sudo": sudo.path,
            "user": lambda: 1000,
            "trust": lambda path: None,
            **more,
        }
        made.append(RootActions(launcher=Launcher(), **settings))
        return made[-1]

    yield work
    for each in made:
        each.close()


def run(root: RootActions, action: RootAction, **values: object) -> RootActionResult:
    return asyncio.run(root.run(action, action.command(values)))


def test_sudo_is_asked_about_exactly_what_it_then_runs(make: Callable[..., RootActions], sudo: FakeSudo) -> None:
    result = run(make(), ECHO, unit="nginx")
    assert (result.reason, result.exit_code, result.stdout.text()) == (EndReason.EXIT, 0, "restart nginx\n")
    assert result.is_success
    assert sudo.calls == [
        ["-n", "-l", "--", "/usr/bin/echo", "restart", "nginx"],
        ["-n", "--", "/usr/bin/echo", "restart", "nginx"],
    ]


def test_nothing_of_the_server_reaches_what_runs_as_root(
    make: Callable[..., RootActions], sudo: FakeSudo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD", "")
    monkeypatch.setenv("MCP_SERVER_SECRET", "swordfish")
    read, write = os.pipe()
    os.set_inheritable(write, True)
    ls = RootAction("ls", "/usr/bin/ls", ArgumentForm("/proc/self/fd"))
    result = run(make(config=SudoConfig(is_enabled=True, actions={"ls": ls})), ls)
    os.close(read)
    os.close(write)
    # The shell of the fake says these of itself; the last line is the directory, and there is no input.
    variables = [line for line in sudo.surroundings[:-1] if line.partition("=")[0] not in ("PWD", "_", "OLDPWD")]
    assert variables == [f"PATH={PATH}"]
    assert sudo.surroundings[-1] == "/"
    assert str(write) not in result.stdout.text().split()


def test_it_has_a_session_of_its_own_and_no_terminal(make: Callable[..., RootActions]) -> None:
    ps = RootAction("ps", "/usr/bin/cat", ArgumentForm("/proc/self/stat"))
    result = run(make(config=SudoConfig(is_enabled=True, actions={"ps": ps})), ps)
    pid, _, rest = result.stdout.text().partition(" ")
    _, _, _, session, terminal = rest.rpartition(")")[2].split()[:5]
    assert (session, terminal) == (pid, "0")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"config": SudoConfig(actions=ACTIONS)}, "nothing as root"),
        ({"config": SudoConfig(is_enabled=True)}, "nothing as root"),
        ({"user": lambda: 0}, "runs as root"),
        ({"tier": IsolationTier.LSM}, "need isolation 'ns'"),
        ({"tier": IsolationTier.NONE}, "need isolation 'ns'"),
        ({"trust": lambda path: f"{path} can be written by others than root"}, "not to be trusted"),
        ({"trust": lambda path: "odd" if path == ECHO.program else None}, "not to be trusted"),
    ],
)
def test_what_is_not_right_keeps_sudo_from_being_called(
    make: Callable[..., RootActions], sudo: FakeSudo, settings: dict[str, Any], told: str
) -> None:
    root = make(**settings)
    with pytest.raises(ResourceUnavailableError, match=told) as caught:
        run(root, ECHO, unit="nginx")
    assert "written by others" not in str(caught.value)
    assert sudo.calls == []


@pytest.mark.parametrize("mood", ["denies", "lies"])
def test_where_sudo_does_not_say_yes_to_exactly_this_nothing_is_run(
    make: Callable[..., RootActions], sudo: FakeSudo, mood: str
) -> None:
    sudo.be(mood)
    with pytest.raises(ResourceUnavailableError, match="does not let this server run exactly this"):
        run(make(), ECHO, unit="nginx")
    assert [call[1] for call in sudo.calls] == ["-l"]


def test_a_password_is_never_given(make: Callable[..., RootActions], sudo: FakeSudo) -> None:
    sudo.be("wants_password")
    with pytest.raises(ResourceUnavailableError, match="wants a password"):
        run(make(), ECHO, unit="nginx")
    assert {"-S", "-A", "--stdin", "--askpass"}.isdisjoint(word for call in sudo.calls for word in call)


def test_a_program_that_fails_is_a_result(make: Callable[..., RootActions]) -> None:
    result = run(make(), FAIL)
    assert (result.reason, result.exit_code, result.is_success) == (EndReason.EXIT, 1, False)


def test_what_takes_too_long_is_ended(make: Callable[..., RootActions]) -> None:
    result = run(make(), SLEEP)
    assert (result.reason, result.signal, result.has_ended, result.left_running) == (EndReason.TIMEOUT, 15, True, 0)
    assert result.wall_seconds < 10


def test_what_floods_its_output_is_ended_and_a_part_is_kept(make: Callable[..., RootActions]) -> None:
    result = run(make(), FLOOD)
    assert (result.reason, result.has_ended) == (EndReason.OUTPUT, True)
    assert result.stdout.is_truncated
    assert len(result.stdout.text()) < 300_000


def test_an_action_is_not_begun_more_often_than_the_operator_says(make: Callable[..., RootActions]) -> None:
    now = [1000.0]
    root = make(clock=lambda: now[0])
    run(root, TALL)
    now[0] += 600
    run(root, TALL)
    with pytest.raises(LimitExceededError, match="wait 3000 s") as caught:
        run(root, TALL)
    assert caught.value.limit == "calls_per_hour"
    # Another one has a count of its own, and an hour is an hour.
    run(root, FAIL)
    now[0] += 3001
    assert run(root, TALL).is_success


def test_what_sudo_refuses_counts_as_well(make: Callable[..., RootActions], sudo: FakeSudo) -> None:
    sudo.be("denies")
    root = make()
    for _ in range(2):
        with pytest.raises(ResourceUnavailableError):
            run(root, TALL)
    with pytest.raises(LimitExceededError):
        run(root, TALL)


def test_one_action_runs_once_at_a_time(make: Callable[..., RootActions]) -> None:
    async def main() -> list[Any]:
        root = make()
        return await asyncio.gather(
            *(root.run(SLEEP, SLEEP.command({})) for _ in range(2)), root.run(FAIL, FAIL.command({})),
            return_exceptions=True,
        )  # fmt: skip

    first, second, other = asyncio.run(main())
    assert first.reason is EndReason.TIMEOUT
    assert isinstance(second, MCPServerError)
    assert "running already" in str(second)
    assert other.exit_code == 1


def test_what_could_not_be_ended_keeps_the_next_from_being_begun(make: Callable[..., RootActions]) -> None:
    root = make()
    with subprocess.Popen(["/usr/bin/sleep", "60"]) as left:
        root._running[ECHO.name] = left
        with pytest.raises(ResourceUnavailableError, match="running already"):
            run(root, ECHO, unit="nginx")
        left.kill()
        left.wait()
        assert run(root, ECHO, unit="nginx").is_success


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.03, 0.2])
def test_who_takes_it_back_ends_it(make: Callable[..., RootActions], delay: float) -> None:
    long = RootAction("long", "/usr/bin/sleep", ArgumentForm("60"))
    root = make(config=SudoConfig(is_enabled=True, actions={"long": long}))

    async def main() -> None:
        task = asyncio.create_task(root.run(long, long.command({})))
        asyncio.get_running_loop().call_later(delay, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert root._running == {}
    root.require_ready(long)


def test_it_is_in_its_control_group_before_it_is_sudo(make: Callable[..., RootActions], sudo: FakeSudo) -> None:
    groups = FakeGroups()
    seen: list[int] = []
    add = groups.add

    def look(pid: int) -> None:
        seen.append(len(sudo.calls))
        add(pid)

    groups.add = look  # type: ignore[method-assign]
    assert run(make(groups=groups), ECHO, unit="nginx").is_success
    # sudo was asked, and what runs was not begun.
    assert seen == [1]
    assert (len(groups.pids), groups.ended) == (1, 1)


@pytest.mark.parametrize("groups", [FakeGroups(version=1), FakeGroups(fails=True)])
def test_without_a_group_that_kills_it_runs_all_the_same(make: Callable[..., RootActions], groups: FakeGroups) -> None:
    assert run(make(groups=groups), ECHO, unit="nginx").is_success
    assert groups.pids == []


def test_what_cannot_be_put_into_its_group_is_not_run(
    make: Callable[..., RootActions], sudo: FakeSudo, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = FakeGroups()

    def refuse(pids: Any) -> None:
        raise PermissionError(13, "no")

    monkeypatch.setattr(groups, "add", refuse)
    with pytest.raises(ResourceUnavailableError, match="could not be started"):
        run(make(groups=groups), ECHO, unit="nginx")
    assert [call[1] for call in sudo.calls] == ["-l"]
    assert groups.ended == 1


def test_a_group_is_what_the_fake_takes_itself_for() -> None:
    assert {"add", "end"} <= set(dir(ControlGroup))
