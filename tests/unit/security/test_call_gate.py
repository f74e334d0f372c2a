from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.security.call_gate import CallGate
from mcp_server.security.consent_manager import ConsentManager
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.running_call import RunningCall
from tests.security.chain.chain_rig import ChainRig, nothing, operation
from tests.security.chain.fake_peer import FakePeer

READ, WRITE = PermissionType.FILE_READ, PermissionType.FILE_WRITE
BELL = PermissionType.custom("CUSTOM_BELL")
CONNECT = PermissionType.NETWORK_CONNECT


class Desk:
    """A gate, what it saw, and the call it belongs to."""

    def __init__(self, rig: ChainRig, *permissions: Permission, peer: FakePeer | None = None) -> None:
        principal = rig.authentication.authenticate(rig.local)
        self.call = RunningCall(call_id="c1", peer=peer, task=None, started=0.0, deadline=30.0)
        self.evidence: list[list[str]] = []
        self.folder = rig.folder
        self.gate = CallGate(
            principal=principal,
            record=rig.clients.record(principal),
            operation=operation(nothing, permissions=permissions),
            permissions=rig.permissions,
            consent=ConsentManager(report=rig.audit.append),
            call=self.call,
            evidence=self.evidence,
        )

    def require(self, kind: PermissionType, name: str) -> None:
        asyncio.run(self.gate.require(kind, str(self.folder / name), name))

    def bind(self, permission: Permission, name: str) -> None:
        asyncio.run(self.gate.require_all([(permission.type, str(self.folder / name), name, permission)]))


def test_what_is_declared_and_granted_opens(rig: ChainRig) -> None:
    desk = Desk(rig, Permission(READ, "*.txt"))
    desk.require(READ, "note.txt")
    assert desk.evidence == [["FILE_READ", str(rig.folder / "note.txt"), "local.allow[0]"]]
    assert desk.gate.allows(READ, str(rig.folder / "note.txt"), "note.txt")


@pytest.mark.parametrize(
    ("declared", "kind", "name"),
    [
        (Permission(READ, "*.md"), READ, "note.txt"),
        (Permission(READ, "**"), WRITE, "note.txt"),
        (Permission(READ, "sub/*"), READ, "note.txt"),
        (Permission(READ, "/elsewhere/**"), READ, "note.txt"),
        (Permission(BELL, "**"), READ, "note.txt"),
    ],
)
def test_what_is_not_declared_stays_shut(rig: ChainRig, declared: Permission, kind: PermissionType, name: str) -> None:
    desk = Desk(rig, declared)
    with pytest.raises(PermissionDeniedError, match="not declared") as caught:
        desk.require(kind, name)
    assert caught.value.missing == ((kind, name),)
    assert desk.evidence[0][2] == "undeclared"
    assert not desk.gate.allows(kind, str(rig.folder / name), name)


def test_an_absolute_pattern_is_held_against_the_absolute_name(rig: ChainRig) -> None:
    desk = Desk(rig, Permission(READ, f"{rig.folder}/*.txt"))
    desk.require(READ, "note.txt")
    with pytest.raises(PermissionDeniedError):
        desk.require(READ, "sub/note.txt")


def test_everything_missing_is_named_at_once(rig: ChainRig) -> None:
    desk = Desk(rig, Permission(READ, "**"))
    wanted: list[Any] = [(READ, str(rig.folder / name), name, None) for name in ("never.txt", "a.key", "note.txt")]
    wanted.append((WRITE, str(rig.folder / "b.txt"), "b.txt", None))
    with pytest.raises(PermissionDeniedError) as caught:
        asyncio.run(desk.gate.require_all(wanted))
    assert caught.value.missing == (("FILE_WRITE", "b.txt"), ("FILE_READ", "never.txt"), ("FILE_READ", "a.key"))
    assert "operator" in str(caught.value)
    assert str(rig.folder) not in str(caught.value)


def test_custom_rights_are_matched_as_opaque_names(rig: ChainRig) -> None:
    peer = FakePeer()
    desk = Desk(rig, Permission(BELL, "front-*"), peer=peer)
    asyncio.run(desk.gate.require(BELL, "front-door"))
    assert len(peer.questions) == 1
    with pytest.raises(PermissionDeniedError, match="not declared"):
        asyncio.run(desk.gate.require(BELL, "back-door"))


def test_what_was_agreed_to_is_not_asked_twice_in_one_call(rig: ChainRig) -> None:
    peer = FakePeer()
    desk = Desk(rig, Permission(BELL, "**"), peer=peer)
    for _ in range(3):
        asyncio.run(desk.gate.require(BELL, "front"))
    asyncio.run(desk.gate.require(BELL, "back"))
    assert len(peer.questions) == 2
    assert desk.call.waiting == 0


def test_a_question_is_not_what_allows_says_yes_to(rig: ChainRig) -> None:
    desk = Desk(rig, Permission(BELL, "**"), peer=FakePeer())
    assert not desk.gate.allows(BELL, "front")


def test_a_bound_declaration_opens_what_its_argument_names(rig: ChainRig) -> None:
    bound = Permission(READ, "*.txt", argument="path")
    desk = Desk(rig, bound)
    with pytest.raises(PermissionDeniedError):
        desk.require(READ, "note.txt")
    desk.bind(bound, "note.txt")
    desk.require(READ, "note.txt")
    with pytest.raises(PermissionDeniedError):
        desk.require(READ, "other.txt")


def test_an_unbound_declaration_beside_a_bound_one_still_opens(rig: ChainRig) -> None:
    bound = Permission(READ, "note.*", argument="path")
    desk = Desk(rig, bound, Permission(READ, "other.txt"))
    desk.bind(bound, "note.txt")
    desk.require(READ, "other.txt")
    assert [each[1] for each in desk.evidence] == [str(rig.folder / name) for name in ("note.txt", "other.txt")]


def test_a_bound_declaration_of_one_kind_binds_no_other(rig: ChainRig) -> None:
    reads, writes = Permission(READ, "**", argument="source"), Permission(WRITE, "**", argument="target")
    desk = Desk(rig, reads, writes)
    desk.bind(reads, "note.txt")
    desk.bind(writes, "out.txt")
    desk.require(WRITE, "out.txt")
    for kind, name in ((WRITE, "note.txt"), (READ, "out.txt")):
        with pytest.raises(PermissionDeniedError):
            desk.require(kind, name)


def test_what_lies_below_a_bound_directory_is_bound_with_it(rig: ChainRig) -> None:
    lists = Permission(PermissionType.DIRECTORY_LIST, "**", argument="path")
    desk = Desk(rig, lists)
    desk.bind(lists, "sub")
    desk.require(PermissionType.DIRECTORY_LIST, "sub/deep/deeper")
    for neighbour in ("subway", ".", "sub.txt"):
        assert not desk.gate.allows(PermissionType.DIRECTORY_LIST, str(rig.folder / neighbour), neighbour)


def test_nothing_opens_when_the_call_has_ended(rig: ChainRig) -> None:
    desk = Desk(rig, Permission(READ, "**"))
    desk.require(READ, "note.txt")
    desk.call.has_ended = True
    with pytest.raises(PermissionDeniedError, match="has ended"):
        desk.require(READ, "note.txt")
    assert not desk.gate.allows(READ, str(rig.folder / "note.txt"), "note.txt")


def test_a_declaration_of_writing_covers_further_folders_where_the_policy_does(rig: ChainRig) -> None:
    desk = Desk(rig, Permission(WRITE, "**"))
    with pytest.raises(PermissionDeniedError, match="missing permission: FILE_WRITE_GLOBAL"):
        desk.require(PermissionType.FILE_WRITE_GLOBAL, "note.txt")


NETWORK_POLICY = """
version = 1
[client.local]
folders = ["folder"]
allow = ["NETWORK_CONNECT *:443", "NETWORK_CONNECT 10.0.0.0/8:443"]
ask = ["NETWORK_CONNECT 192.168.0.0/16:443"]
deny = ["NETWORK_CONNECT 8.8.8.0/24:*"]
[client.other]
folders = ["other"]
"""


@pytest.mark.parametrize(
    ("resource", "effect", "rule"),
    [
        ("10.0.0.1:443", Effect.ALLOW, "local.allow[1]"),
        ("1.1.1.1:443", Effect.ALLOW, "local.allow[0]"),
        ("192.168.0.1:443", Effect.ASK, "local.ask[0]"),
        ("8.8.8.8:443", Effect.DENY, "local.deny[0]"),
        ("172.16.0.1:443", None, "none"),
        ("169.254.169.254:443", Effect.DENY, "default_deny.shipped["),
        ("\x00", Effect.DENY, "malformed-resource"),
    ],
)
def test_what_lies_behind_is_asked_of_the_policy_alone(
    tmp_path: Path, resource: str, effect: Effect | None, rule: str
) -> None:
    rig = ChainRig(tmp_path, policy=NETWORK_POLICY)
    try:
        desk = Desk(rig)
        assert desk.gate.stance(CONNECT, resource) is effect
        assert desk.gate.stance(CONNECT, resource) is effect
        # On record once, with the rule that decided.
        assert len(desk.evidence) == 1
        assert desk.evidence[0][:2] == ["NETWORK_CONNECT", resource]
        assert desk.evidence[0][2].startswith(rule)
        desk.call.has_ended = True
        with pytest.raises(PermissionDeniedError, match="has ended"):
            desk.gate.stance(CONNECT, resource)
    finally:
        rig.close()


def test_a_ceiling_that_says_nothing_does_not_hide_a_clients_denial(tmp_path: Path) -> None:
    rig = ChainRig(tmp_path, policy=NETWORK_POLICY + '[ceiling]\nallow = ["NETWORK_CONNECT *.example:443"]\n')
    try:
        desk = Desk(rig)
        assert desk.gate.stance(CONNECT, "8.8.8.8:443") is Effect.DENY
        assert desk.gate.stance(CONNECT, "1.1.1.1:443") is None
        # What the ceiling does not name is not granted to anybody.
        assert desk.gate.stance(CONNECT, "10.0.0.1:443") is None
    finally:
        rig.close()


def test_a_new_policy_is_asked_anew_and_on_record_again(tmp_path: Path) -> None:
    rig = ChainRig(tmp_path, policy=NETWORK_POLICY)
    try:
        desk = Desk(rig)
        desk.gate.stance(CONNECT, "10.0.0.1:443")
        rig.permissions.replace(rig.policy(NETWORK_POLICY.replace("10.0.0.0/8", "10.1.0.0/16")))
        assert desk.gate.stance(CONNECT, "10.0.0.1:443") is None
        assert len(desk.evidence) == 2
    finally:
        rig.close()


def test_what_stands_after_the_call_is_what_the_policy_says_then(rig: ChainRig) -> None:
    desk = Desk(rig, Permission(READ, "*.txt"))
    note, bell = desk.gate.standing(READ, str(rig.folder / "note.txt")), desk.gate.standing(BELL, "ring")
    desk.call.has_ended = True
    # What a human would have to be asked about stands for nothing, and no door opens any more.
    assert (note(), bell()) == (True, False)
    assert not desk.gate.allows(READ, str(rig.folder / "note.txt"), "note.txt")
    rig.permissions.replace(rig.policy('version = 1\n[client.local]\nfolders = ["folder"]\n'))
    assert not note()
    rig.permissions.replace(rig.policy('version = 1\n[client.other]\nallow = ["FILE_READ **"]\nfolders = ["other"]\n'))
    assert not note()
