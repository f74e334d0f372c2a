"""A token takes rights away from its client in every step, and from nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.authentication_manager import AuthenticationManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from tests.security.chain.chain_rig import ChainRig, nothing, operation

READS = Permission(PermissionType.FILE_READ, "**")
BOUND = Permission(PermissionType.FILE_READ, "**", argument="path")
WRITES = Permission(PermissionType.FILE_WRITE, "**")
NARROWED = Credentials(transport="memory", profile="local", connection="narrowed")
POLICY = """
version = 1
[client.local]
folders = ["folder"]
allow = ["FILE_READ **", "FILE_WRITE **", "DIRECTORY_LIST **"]
[scope."note:read"]
allow = ["FILE_READ note.txt"]
"""


@pytest.fixture
def rig(rig: ChainRig, monkeypatch: pytest.MonkeyPatch) -> ChainRig:
    """The chain, where one of two connections of a client brings a token for one note."""
    rig.permissions.replace(rig.policy(POLICY))
    authenticate = AuthenticationManager.authenticate

    def with_token(manager: AuthenticationManager, credentials: Credentials) -> Principal:
        if credentials is NARROWED:
            return Principal("local", ("jwt",), narrowing=Narrowing.of(scopes=["note:read"]))
        return authenticate(manager, credentials)

    monkeypatch.setattr(AuthenticationManager, "authenticate", with_token)
    return rig


def run(
    rig: ChainRig, credentials: Credentials, execute: Callable[[Any], Awaitable[Any]] = nothing, **plan: Any
) -> Any:
    return asyncio.run(rig.chain.run(credentials, lambda principal: operation(execute, **plan)))


def reading(name: str) -> Callable[[Any], Awaitable[Any]]:
    async def execute(context: Any) -> str:
        text: str = await context.files.read_text(name)
        return text

    return execute


def test_what_an_argument_names_must_be_covered_as_well(rig: ChainRig) -> None:
    plan: dict[str, Any] = {"permissions": (BOUND,), "needs": {BOUND: "other.txt"}}
    assert run(rig, rig.local, **plan) == "done"
    with pytest.raises(PermissionDeniedError):
        run(rig, NARROWED, **plan)
    assert run(rig, NARROWED, permissions=(BOUND,), needs={BOUND: "note.txt"}) == "done"


def test_what_a_door_opens_must_be_covered_as_well(rig: ChainRig) -> None:
    assert run(rig, rig.local, reading("other.txt"), permissions=(READS,)) == "text of other.txt"
    assert run(rig, NARROWED, reading("note.txt"), permissions=(READS,)) == "text of note.txt"
    with pytest.raises(PermissionDeniedError):
        run(rig, NARROWED, reading("other.txt"), permissions=(READS,))


def test_a_tool_whose_rights_the_token_does_not_have_does_not_exist(rig: ChainRig) -> None:
    assert run(rig, rig.local, permissions=(WRITES,)) == "done"
    with pytest.raises(UnknownNameError):
        run(rig, NARROWED, permissions=(WRITES,))


def test_the_order_in_which_they_call_changes_nothing(rig: ChainRig) -> None:
    # What is remembered for one connection of a client must not serve the other.
    definition = object()
    for credentials, is_known in ((NARROWED, False), (rig.local, True), (NARROWED, False), (rig.local, True)):
        try:
            run(rig, credentials, permissions=(WRITES,), definition=definition)
            assert is_known
        except UnknownNameError:
            assert not is_known


def test_lists_show_each_what_is_his(rig: ChainRig) -> None:
    views = {each: rig.chain.view(each, method="tools/list", request=1) for each in (NARROWED, rig.local)}
    assert not views[NARROWED].may_use("tools/call", "probe", (WRITES,))
    assert views[rig.local].may_use("tools/call", "probe", (WRITES,))
    assert views[NARROWED].fingerprint != views[rig.local].fingerprint


def test_what_goes_on_after_a_call_goes_on_as_long_as_its_token_covers_it(rig: ChainRig) -> None:
    path = str(rig.folder / "other.txt")

    async def standing(context: Any) -> bool:
        is_permitted: bool = context._gate.standing(PermissionType.FILE_READ, path)()
        return is_permitted

    assert run(rig, rig.local, standing, permissions=(READS,)) is True
    assert run(rig, NARROWED, standing, permissions=(READS,)) is False


def test_a_scope_that_a_reload_takes_away_covers_nothing_any_more(rig: ChainRig) -> None:
    plan: dict[str, Any] = {"permissions": (BOUND,), "needs": {BOUND: "note.txt"}}
    assert run(rig, NARROWED, **plan) == "done"
    rig.permissions.replace(rig.policy(POLICY.replace("note:read", "another")))
    with pytest.raises(UnknownNameError):
        run(rig, NARROWED, **plan)
    decision = rig.permissions.decide("local", PermissionType.FILE_READ, str(rig.folder / "note.txt"))
    assert decision.effect is Effect.ALLOW
