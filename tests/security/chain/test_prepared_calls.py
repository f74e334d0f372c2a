"""What is worked out once for all calls of a tool is never true for longer than what it was worked out from."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security import security_chain
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.prepared_call import PreparedCall
from tests.security.chain.chain_rig import POLICY, ChainRig, nothing, operation

READS = Permission(PermissionType.FILE_READ, "*.txt", argument="path")
READS_ANY = Permission(PermissionType.FILE_READ, "**")
TOOL = object()


def run(rig: ChainRig, plan: Any, credentials: Credentials | None = None) -> Any:
    return asyncio.run(rig.chain.run(credentials or rig.local, lambda principal: plan))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[PreparedCall]:
    """Every prepared call that the chain makes."""
    calls: list[PreparedCall] = []

    def make(*args: Any, **kwargs: Any) -> PreparedCall:
        calls.append(PreparedCall(*args, **kwargs))
        return calls[-1]

    monkeypatch.setattr(security_chain, "PreparedCall", make)
    return calls


def test_it_is_worked_out_once_a_tool_and_a_connection(rig: ChainRig, made: list[PreparedCall]) -> None:
    for _ in range(3):
        run(rig, operation(nothing, definition=TOOL))
    assert len(made) == 1
    run(rig, operation(nothing, definition=TOOL), rig.other)
    run(rig, operation(nothing, definition=TOOL), Credentials(transport="memory", profile="local", connection="m3"))
    assert [each.intent.constants["conn"] for each in made] == ["m1", "m2", "m3"]


def test_a_reload_that_hides_the_tool_is_in_force_at_the_next_call(rig: ChainRig) -> None:
    plan = operation(nothing, permissions=(READS_ANY,), definition=TOOL)
    hidden = 'version = 1\n[client.local]\nfolders = ["folder"]\n'
    for _ in range(3):
        assert run(rig, plan) == "done"
        rig.permissions.replace(rig.policy(hidden))
        with pytest.raises(UnknownNameError):
            run(rig, plan)
        rig.permissions.replace(rig.policy(POLICY))


def test_a_right_that_a_reload_took_away_is_missed_by_a_tool_that_stays_visible(rig: ChainRig) -> None:
    plan = operation(nothing, permissions=(READS,), needs={READS: "note.txt"}, definition=TOOL)
    assert run(rig, plan) == "done"
    rig.permissions.replace(rig.policy(POLICY.replace('deny = ["', 'deny = ["FILE_READ note.txt", "')))
    with pytest.raises(PermissionDeniedError):
        run(rig, plan)


def test_limits_of_a_reload_are_in_force_at_the_next_call(rig: ChainRig) -> None:
    plan = operation(nothing, definition=TOOL)
    assert run(rig, plan) == "done"
    rig.permissions.replace(
        rig.policy(POLICY.replace("[client.other]", "[client.local.limits]\ntimeout_seconds = 1\n[client.other]"))
    )

    async def waits(context: Any) -> None:
        rig.clock.advance(2.0)
        rig.watch.sweep()
        await asyncio.sleep(0)

    with pytest.raises(LimitExceededError, match="longer than 1 s"):
        run(rig, operation(waits, definition=TOOL))


def test_a_tool_that_was_replaced_is_judged_and_recorded_as_what_it_is_now(rig: ChainRig) -> None:
    assert run(rig, operation(nothing, definition=TOOL, definition_hash="aa" * 32)) == "done"
    bell = Permission(PermissionType.custom("CUSTOM_NOBODY"), "**")
    with pytest.raises(UnknownNameError):
        run(rig, operation(nothing, definition=object(), permissions=(bell,), definition_hash="bb" * 32))
    assert [each["tool_hash"] for each in rig.calls() if "tool_hash" in each] == ["aa" * 32, "bb" * 32]


def test_the_next_call_follows_a_policy_that_changes_while_one_runs(rig: ChainRig) -> None:
    async def changes(context: Any) -> str:
        rig.permissions.replace(rig.policy('version = 1\n[client.local]\nfolders = ["folder"]\n'))
        return "done"

    plan = operation(changes, permissions=(READS_ANY,), definition=TOOL)
    assert run(rig, plan) == "done"
    with pytest.raises(UnknownNameError):
        run(rig, plan)


def test_nothing_is_kept_of_a_connection_that_has_ended(rig: ChainRig, made: list[PreparedCall]) -> None:
    plan = operation(nothing, definition=TOOL)
    run(rig, plan)
    rig.chain.forget(rig.local)
    rig.chain.forget(rig.local)
    run(rig, plan)
    assert len(made) == 2


def test_names_of_the_clients_own_choice_do_not_fill_the_memory(rig: ChainRig, made: list[PreparedCall]) -> None:
    for number in range(3):
        run(rig, operation(nothing, kind="resources/read", name=f"file:///{number}"))
    assert len(made) == 3
    assert rig.chain._prepared == {}


def test_what_is_kept_of_one_connection_is_bounded(rig: ChainRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security_chain, "MAX_PREPARED", 2)
    for number in range(5):
        run(rig, operation(nothing, name=f"tool_{number}", definition=TOOL))
    assert len(rig.chain._prepared[rig.local]) <= 2
