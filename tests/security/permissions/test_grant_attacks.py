"""Ways to use a grant before it begins, after it has ended, or once more than it says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.use_ledger import UseLedger
from tests.security.chain.chain_rig import ChainRig, operation
from tests.security.chain.fake_clock import FakeClock
from tests.security.chain.fake_peer import FakePeer

READ = PermissionType.FILE_READ
BOUND = Permission(READ, "**", argument="path")
PLAIN = '[client.local]\nfolders = ["folder"]\nallow = ["DIRECTORY_LIST **"]\n'
ALWAYS = 'version = 1\n[client.local]\nfolders = ["folder"]\nallow = ["DIRECTORY_LIST **", "FILE_READ *.txt"]\n'
TIMED = (
    "version = 1\n" + PLAIN + '[[client.local.grant]]\nallow = "FILE_READ *.txt"\n'
    "not_before = 1970-01-01T00:01:40Z\nexpires = 1970-01-01T00:03:20Z\n"
)
COUNTED = "version = 1\n" + PLAIN + '[[client.local.grant]]\nallow = "FILE_READ *.txt"\nmax_uses = 2\n'


class Desk:
    """A chain whose policy knows the time of a clock, and which counts in a directory."""

    def __init__(self, directory: Path, policy: str, *, now: float = 150.0) -> None:
        self.time = FakeClock(now)
        self.rig = ChainRig(directory, policy=policy)
        self.directory = directory
        self.start_anew(policy)

    def start_anew(self, policy: str) -> None:
        """Forget everything a server forgets when it ends."""
        permissions = PermissionManager(
            policy=self.rig.policy(policy), ledger=UseLedger(directory=self.directory / "uses"), clock=self.time
        )
        self.permissions = permissions
        for part in (self.rig, self.rig.chain, self.rig.clients, self.rig.authentication, self.rig.chain._recorder):
            setattr(part, "permissions" if part is self.rig else "_permissions", permissions)

    async def read(self, *names: str, times: int = 1) -> list[str]:
        async def handler(context: ClientContext) -> list[str]:
            return [await context.files.read_text(name) for name in names for _ in range(times)]

        plan = operation(handler, permissions=(BOUND,), needs={BOUND: names[0]})
        result: list[str] = await self.rig.chain.run(self.rig.local, lambda principal: plan)
        return result

    def reads(self, *names: str, times: int = 1) -> bool:
        # A tool that nothing could be granted to is hidden; one that something could be is refused.
        try:
            return bool(asyncio.run(self.read(*names, times=times)))
        except (PermissionDeniedError, UnknownNameError):
            return False

    def rules(self) -> list[str]:
        return [need[2] for record in self.rig.calls() for need in record.get("need", [])]


@pytest.mark.parametrize(("now", "is_read"), [(99.9, False), (100.0, True), (199.9, True), (200.0, False)])
def test_a_grant_holds_for_its_time_and_no_moment_longer(tmp_path: Path, now: float, is_read: bool) -> None:
    desk = Desk(tmp_path, TIMED, now=now)
    assert desk.reads("note.txt") is is_read
    if is_read:
        assert set(desk.rules()) == {"local.grant[0]"}
    desk.rig.close()


def test_no_remembered_answer_outlives_the_grant(tmp_path: Path) -> None:
    desk = Desk(tmp_path, TIMED)
    assert desk.reads("note.txt")
    epoch = desk.permissions.epoch
    desk.time.now = 200.0
    assert not desk.reads("note.txt")
    assert desk.permissions.epoch > epoch
    # The clock was set back: by what it says now the grant holds, and before its beginning it does not.
    desk.time.now = 150.0
    assert desk.reads("note.txt")
    desk.time.now = 50.0
    assert not desk.reads("note.txt")
    desk.rig.close()


@pytest.mark.parametrize(("policy", "is_read"), [(TIMED, False), (ALWAYS, True)])
def test_a_call_that_goes_on_loses_what_expires_meanwhile(tmp_path: Path, policy: str, is_read: bool) -> None:
    desk = Desk(tmp_path, policy)

    async def handler(context: ClientContext) -> str:
        assert await context.files.read_text("note.txt") == "text of note.txt"
        desk.time.now = 200.0
        return await context.files.read_text("note.txt")

    plan = operation(handler, permissions=(BOUND,), needs={BOUND: "note.txt"})
    if is_read:
        assert asyncio.run(desk.rig.chain.run(desk.rig.local, lambda principal: plan)) == "text of note.txt"
    else:
        with pytest.raises(PermissionDeniedError):
            asyncio.run(desk.rig.chain.run(desk.rig.local, lambda principal: plan))
    desk.rig.close()


def test_a_grant_is_used_as_often_as_it_says_and_by_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path, COUNTED)
    assert [desk.reads("note.txt") for _ in range(4)] == [True, True, False, False]
    assert desk.rules() == ["local.grant[0]", "local.grant[0]", "none", "none"]
    desk.rig.close()


def test_one_call_opens_the_same_file_as_often_as_it_likes_for_one_use(tmp_path: Path) -> None:
    desk = Desk(tmp_path, COUNTED)
    assert desk.reads("note.txt", times=5)
    assert desk.reads("other.txt", times=5)
    assert not desk.reads("note.txt")
    desk.rig.close()


@pytest.mark.parametrize(("policy", "served"), [(COUNTED, 2), (ALWAYS, 6)])
def test_calls_at_once_do_not_share_a_use(tmp_path: Path, policy: str, served: int) -> None:
    desk = Desk(tmp_path, policy)

    async def attack() -> list[object]:
        return await asyncio.gather(*(desk.read("note.txt") for _ in range(6)), return_exceptions=True)

    results = asyncio.run(attack())
    assert sum(isinstance(each, list) for each in results) == served
    assert all(isinstance(each, list | PermissionDeniedError) for each in results)
    desk.rig.close()


def test_starting_the_server_anew_gives_no_use_back(tmp_path: Path) -> None:
    desk = Desk(tmp_path, COUNTED)
    assert desk.reads("note.txt")
    assert desk.reads("note.txt")
    desk.start_anew(COUNTED)
    assert not desk.reads("note.txt")
    # Nor does another place in the file, nor a reload of it.
    desk.start_anew(
        COUNTED.replace("[[client", '[[client.local.grant]]\nask = "FILE_READ x"\nmax_uses = 1\n[[client', 1)
    )
    assert not desk.reads("note.txt")
    # The control: more uses are the operator's to give.
    desk.start_anew(COUNTED.replace("max_uses = 2", "max_uses = 3"))
    assert desk.reads("note.txt")
    assert not desk.reads("note.txt")
    desk.rig.close()


def test_looking_spends_nothing_and_opens_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, COUNTED)
    path = str(desk.rig.folder / "note.txt")
    for _ in range(5):
        # What filters a listing, or copies files for a program, never allows what is counted: it does not count.
        assert desk.permissions.decide("local", READ, path).effect is Effect.ASK
        assert desk.permissions.decide_use("local", READ, path).effect is Effect.ALLOW
        plan = operation(lambda context: context, permissions=(BOUND,), needs={BOUND: "note.txt"})
        assert not desk.rig.chain.permits(desk.rig.local, lambda principal: plan)  # noqa: B023 - asked at once
    assert desk.reads("note.txt")
    desk.start_anew(ALWAYS)
    assert desk.permissions.decide("local", READ, path).is_allowed
    assert desk.rig.chain.permits(desk.rig.local, lambda principal: plan)
    desk.rig.close()


def test_a_call_that_is_refused_for_something_else_spends_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, COUNTED)
    for _ in range(3):
        two = (BOUND, Permission(READ, "**", argument="more"))
        plan = operation(lambda context: context, permissions=two, needs={two[0]: "note.txt", two[1]: "maybe.ask"})
        with pytest.raises(PermissionDeniedError):
            asyncio.run(desk.rig.chain.run(desk.rig.local, lambda principal: plan))  # noqa: B023 - run at once
    assert desk.reads("note.txt")
    desk.rig.close()


def test_counts_that_cannot_be_kept_grant_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, COUNTED)
    (tmp_path / "uses").write_text("in the way")
    assert not desk.reads("note.txt")
    (tmp_path / "uses").unlink()
    assert desk.reads("note.txt")
    desk.rig.close()


@pytest.mark.parametrize(("uses", "is_read"), [(2, False), (3, True)])
def test_a_call_that_names_more_than_is_left_gets_nothing_and_leaves_it(
    tmp_path: Path, uses: int, is_read: bool
) -> None:
    desk = Desk(tmp_path, COUNTED.replace("max_uses = 2", f"max_uses = {uses}"))
    three = tuple(Permission(READ, "**", argument=name) for name in "abc")
    needs = dict(zip(three, ("note.txt", "other.txt", "never.txt"), strict=True))
    plan = operation(lambda context: asyncio.sleep(0, "done"), permissions=three, needs=needs)
    if is_read:
        assert asyncio.run(desk.rig.chain.run(desk.rig.local, lambda principal: plan)) == "done"
        assert not desk.reads("note.txt")
    else:
        with pytest.raises(PermissionDeniedError) as caught:
            asyncio.run(desk.rig.chain.run(desk.rig.local, lambda principal: plan))
        assert len(caught.value.missing) == 3
        assert desk.reads("note.txt")
    desk.rig.close()


@pytest.mark.parametrize("answer", [True, False])
def test_a_use_that_a_human_is_asked_for_is_spent_when_he_agrees(tmp_path: Path, answer: bool) -> None:
    async def human(params: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"action": "accept", "content": {"allow": answer}}

    desk = Desk(tmp_path, COUNTED.replace("allow = ", "ask = ").replace('ask = ["DIR', 'allow = ["DIR'))
    plan = operation(lambda context: asyncio.sleep(0, "done"), permissions=(BOUND,), needs={BOUND: "note.txt"})

    async def call() -> Any:
        return await desk.rig.chain.run(desk.rig.local, lambda principal: plan, peer=FakePeer(answer=human))

    path = str(desk.rig.folder / "note.txt")
    for _ in range(2):
        assert desk.permissions.decide_use("local", READ, path).effect is Effect.ASK
        with nullcontext() if answer else pytest.raises(PermissionDeniedError):
            asyncio.run(call())
    expected = Effect.DENY if answer else Effect.ASK
    assert desk.permissions.decide_use("local", READ, path).effect is expected
    desk.rig.close()


def test_what_expires_while_the_human_thinks_is_gone_when_he_agrees(tmp_path: Path) -> None:
    async def slow(params: Mapping[str, Any]) -> Mapping[str, Any]:
        desk.time.now = later
        return {"action": "accept", "content": {"allow": True}}

    async def handler(context: ClientContext) -> str:
        return await context.files.read_text("note.txt")

    desk = Desk(tmp_path, TIMED.replace('allow = "', 'ask = "'))
    plan = operation(handler, permissions=(BOUND,), needs={BOUND: "note.txt"})

    async def call() -> Any:
        return await desk.rig.chain.run(desk.rig.local, lambda principal: plan, peer=FakePeer(answer=slow))

    # The control: had he been quicker.
    later = 199.9
    assert asyncio.run(call()) == "text of note.txt"
    later = 200.0
    with pytest.raises(PermissionDeniedError):
        asyncio.run(call())
    desk.rig.close()
