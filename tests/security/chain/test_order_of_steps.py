"""Authenticate, permit, sandbox, execute, audit: in this order, and each step a lock of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.permissions.need import Need
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from tests.security.chain.chain_rig import ChainRig, operation

READS = Permission(PermissionType.FILE_READ, "*.txt", argument="path")
READS_ANY = Permission(PermissionType.FILE_READ, "**")
WRITES = Permission(PermissionType.FILE_WRITE, "*.txt", argument="target")
SECRET = "text of other.txt"


def run(rig: ChainRig, plan: Any, credentials: Credentials | None = None, **settings: Any) -> Any:
    return asyncio.run(rig.chain.run(credentials or rig.local, lambda principal: plan, **settings))


def reading(path: str) -> Callable[[Any], Awaitable[str]]:
    async def handler(client: Any) -> str:
        return str(await client.files.read_text(path))

    return handler


class Trap:
    """A handler that must not run."""

    def __init__(self) -> None:
        self.was_run = False

    async def __call__(self, client: Any) -> str:
        self.was_run = True
        return "ran"


@pytest.mark.parametrize("profile", [None, "stranger", "", "LOCAL", "local ", "other\x00"])
def test_no_plan_is_drawn_for_a_stranger(rig: ChainRig, profile: str | None) -> None:
    drawn = []
    stranger = Credentials(transport="memory", profile=profile, connection="m9")
    with pytest.raises(AuthenticationError) as caught:
        asyncio.run(rig.chain.run(stranger, lambda principal: drawn.append(principal), request=7))  # type: ignore[arg-type,return-value]
    assert drawn == []
    assert str(caught.value) == "not authenticated"
    assert [(each["kind"], each["conn"], each["req_id"]) for each in rig.calls()] == [("auth.fail", "m9", 7)]


def test_a_plan_is_drawn_for_a_client_of_the_policy(rig: ChainRig) -> None:
    # The control of the test above: the same chain, one name that is right.
    trap = Trap()
    assert run(rig, operation(trap)) == "ran"
    assert trap.was_run


def test_the_steps_happen_in_their_order(rig: ChainRig, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    def noting(owner: Any, name: str, step: str) -> None:
        original = getattr(owner, name)

        def noted(*args: Any, **kwargs: Any) -> Any:
            steps.append(step)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, noted)

    noting(rig.authentication, "authenticate", "authenticate")
    noting(type(rig.permissions), "decide_use", "permit")
    files = rig.clients.record(rig.authentication.authenticate(rig.local)).files
    steps.clear()
    noting(files, "pin", "sandbox")
    rig.audit.subscribe(lambda record: steps.append(str(record["kind"])))

    async def handler(client: Any) -> str:
        steps.append("execute")
        return str(await client.files.read_text("note.txt"))

    def plan(principal: Any) -> Any:
        steps.append("plan")
        return operation(handler, permissions=(READS,), needs={READS: "note.txt"})

    assert asyncio.run(rig.chain.run(rig.local, plan)) == "text of note.txt"
    assert steps == [
        # At the door nothing is decided anew: the same call was granted the same file under the same policy.
        *("authenticate", "plan", "permit", "sandbox", "call.intent", "execute", "call.done")
    ]


def test_what_was_granted_is_decided_anew_at_the_door_when_the_policy_has_changed(rig: ChainRig) -> None:
    async def handler(client: Any) -> str:
        before = str(await client.files.read_text("note.txt"))
        rig.permissions.replace(rig.policy('version = 1\n[client.local]\nfolders = ["folder"]\n'))
        with pytest.raises(PermissionDeniedError):
            await client.files.read_text("note.txt")
        return before

    assert run(rig, operation(handler, permissions=(READS,), needs={READS: "note.txt"})) == "text of note.txt"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("never.txt", PermissionDeniedError),
        ("secret.key", PermissionDeniedError),
        ("sub/deep.txt", PermissionDeniedError),
        ("../outside.txt", SandboxViolationError),
        ("/etc/passwd", SandboxViolationError),
        ("note.txt\x00", SandboxViolationError),
        ("missing.txt", ResourceUnavailableError),
    ],
)
def test_a_bound_argument_is_checked_before_the_handler_starts(
    rig: ChainRig, path: str, error: type[MCPServerError]
) -> None:
    trap = Trap()
    with pytest.raises(error):
        run(rig, operation(trap, permissions=(READS,), needs={READS: path}))
    assert not trap.was_run
    assert "call.intent" not in rig.kinds()


def test_one_bad_element_among_a_hundred_refuses_the_whole_call(rig: ChainRig) -> None:
    trap = Trap()
    for number in range(99):
        (rig.folder / f"{number}.txt").write_text("fine")
    needs = [(READS, f"{number}.txt") for number in range(99)] + [(READS, "never.txt")]
    plan = operation(trap, permissions=(READS,))
    plan = plan._replace(needs=tuple(Need(*each) for each in needs))
    with pytest.raises(PermissionDeniedError) as caught:
        run(rig, plan)
    assert caught.value.missing == (("FILE_READ", "never.txt"),)
    assert not trap.was_run


@pytest.mark.parametrize("path", ["other.txt", "./other.txt", "never.txt", "sub/../other.txt"])
def test_a_handler_that_opens_another_file_than_its_argument_is_refused(rig: ChainRig, path: str) -> None:
    with pytest.raises((PermissionDeniedError, SandboxViolationError)) as caught:
        run(rig, operation(reading(path), permissions=(READS,), needs={READS: "note.txt"}))
    assert SECRET not in str(caught.value)
    assert rig.calls()[-1]["decision"] == "deny"


def test_the_same_file_is_read_where_the_argument_names_it(rig: ChainRig) -> None:
    # The control: not the file was the reason, but that the argument named another.
    plan = operation(reading("other.txt"), permissions=(READS,), needs={READS: "other.txt"})
    assert run(rig, plan) == SECRET


def test_an_argument_that_names_the_same_file_in_other_words_is_the_same(rig: ChainRig) -> None:
    plan = operation(reading(str(rig.folder / "note.txt")), permissions=(READS,), needs={READS: "./note.txt"})
    assert run(rig, plan) == "text of note.txt"


def test_an_absent_optional_argument_opens_nothing(rig: ChainRig) -> None:
    with pytest.raises(PermissionDeniedError, match="not declared"):
        run(rig, operation(reading("note.txt"), permissions=(READS,)))


def test_an_unbound_declaration_is_an_upper_limit_that_the_door_keeps(rig: ChainRig) -> None:
    assert run(rig, operation(reading("other.txt"), permissions=(READS_ANY,))) == SECRET
    with pytest.raises(PermissionDeniedError):
        run(rig, operation(reading("never.txt"), permissions=(READS_ANY,)))


def test_what_is_not_declared_is_refused_even_if_the_policy_grants_it(rig: ChainRig) -> None:
    async def writes(client: Any) -> None:
        await client.files.write_text("new.txt", "hello")

    with pytest.raises(PermissionDeniedError, match="not declared"):
        run(rig, operation(writes, permissions=(READS_ANY,)))
    assert not (rig.folder / "new.txt").exists()
    assert rig.calls()[-1]["need"][-1][2] == "undeclared"
    unbound = Permission(PermissionType.FILE_WRITE, "**")
    run(rig, operation(writes, permissions=(unbound,)))
    assert (rig.folder / "new.txt").read_text() == "hello"


def test_a_bound_directory_opens_what_lies_below_it_and_not_its_neighbour(rig: ChainRig) -> None:
    for name in ("a", "a/b", "ab"):
        (rig.folder / name).mkdir()
    lists = Permission(PermissionType.DIRECTORY_LIST, "**", argument="path")

    def listing(path: str) -> Any:
        async def handler(client: Any) -> int:
            return len((await client.files.list(path)).entries)

        return operation(handler, permissions=(lists,), needs={lists: "a"})

    assert run(rig, listing("a")) == 1
    assert run(rig, listing("a/b")) == 0
    for neighbour in ("ab", "."):
        with pytest.raises(PermissionDeniedError):
            run(rig, listing(neighbour))


def test_the_checked_file_is_the_used_file(rig: ChainRig) -> None:
    async def replaced_meanwhile(client: Any) -> str:
        os.replace(rig.folder / "other.txt", rig.folder / "note.txt")
        return str(await client.files.read_text("note.txt"))

    plan = operation(replaced_meanwhile, permissions=(READS,), needs={READS: "note.txt"})
    assert run(rig, plan) == "text of note.txt"


def test_a_link_planted_between_check_and_use_is_not_followed(rig: ChainRig) -> None:
    outside = rig.directory / "outside.txt"
    outside.write_text("secret of the host")

    async def swaps(client: Any) -> None:
        (rig.folder / "note.txt").unlink(missing_ok=True)
        (rig.folder / "note.txt").symlink_to(outside)
        await client.files.write_text("note.txt", "hacked")

    unbound = Permission(PermissionType.FILE_WRITE, "**")
    with contextlib.suppress(MCPServerError):
        run(rig, operation(swaps, permissions=(unbound,)))
    assert outside.read_text() == "secret of the host"


def test_a_context_kept_beyond_its_call_opens_nothing_and_reaches_nobody(rig: ChainRig) -> None:
    kept: list[Any] = []

    async def keeps(client: Any) -> str:
        kept.append(client)
        return str(await client.files.read_text("note.txt"))

    async def late() -> None:
        await rig.chain.run(rig.local, lambda principal: operation(keeps, permissions=(READS_ANY,)))
        records = len(rig.records)
        with pytest.raises(PermissionDeniedError, match="has ended"):
            await kept[0].files.read_text("note.txt")
        with pytest.raises(MCPServerError):
            await kept[0].ask("still there?", {"name": str})
        kept[0].progress(1)
        assert len(rig.records) == records

    asyncio.run(late())


def test_a_context_of_another_client_is_of_no_use_after_its_call(rig: ChainRig) -> None:
    kept: list[Any] = []

    async def keeps(client: Any) -> None:
        kept.append(client)

    async def borrows(client: Any) -> str:
        return str(await kept[0].files.read_text("note.txt"))

    run(rig, operation(keeps, permissions=(READS_ANY,)))
    with pytest.raises(PermissionDeniedError):
        run(rig, operation(borrows, permissions=(READS_ANY,)), rig.other)


def test_a_profile_that_shows_no_tool_of_the_name_answers_as_if_there_were_none(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy('version = 1\n[client.local]\nfolders = ["folder"]\ntools = ["read_*"]\n'))
    trap = Trap()
    with pytest.raises(UnknownNameError, match="unknown tool: 'probe'"):
        run(rig, operation(trap))
    assert not trap.was_run
    assert rig.calls()[-1]["decision"] == "deny"


def test_an_empty_policy_refuses_whatever_needs_a_right(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy('version = 1\n[client.local]\nfolders = ["folder"]\n'))
    for permission in (READS_ANY, WRITES, Permission(PermissionType.custom("CUSTOM_BELL"), "**")):
        trap = Trap()
        with pytest.raises(UnknownNameError):
            run(rig, operation(trap, permissions=(permission,)))
        assert not trap.was_run
