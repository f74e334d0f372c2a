from __future__ import annotations

from typing import Any

from mcp_server.security.client_view import ClientView
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from tests.security.chain.chain_rig import ChainRig

READS = (Permission(PermissionType.FILE_READ, "*.txt"),)
DELETES = (Permission(PermissionType.FILE_DELETE, "**"),)
BELL = (Permission(PermissionType.custom("CUSTOM_BELL"), "**"),)


def view_of(rig: ChainRig, permissions: Any = None) -> ClientView:
    profile = rig.permissions.profile("local")
    assert profile is not None
    return ClientView(profile=profile, permissions=permissions or rig.permissions, epoch=rig.permissions.epoch)


def test_a_tool_shows_when_each_of_its_permissions_might_be_granted(rig: ChainRig) -> None:
    view = view_of(rig)
    assert view.may_use("tools/call", "plain", ())
    assert view.may_use("tools/call", "reads", READS)
    assert view.may_use("tools/call", "rings", BELL)
    assert not view.may_use("tools/call", "deletes", DELETES)
    assert not view.may_use("tools/call", "both", (*READS, *DELETES))


def test_the_profile_hides_tools_by_their_names_and_nothing_else(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy('version = 1\n[client.local]\ntools = ["read_*"]\n'))
    view = view_of(rig)
    assert view.may_use("tools/call", "read_file", ())
    assert not view.may_use("tools/call", "write_file", ())
    assert view.may_use("prompts/get", "write_file", ())
    assert view.may_use("resources/read", "x://y", ())


class Counting:
    """Permissions that count how often they are asked."""

    def __init__(self) -> None:
        self.asked = 0

    def might_use(self, client: str, permission: Permission, narrowing: Narrowing | None = None) -> bool:
        self.asked += 1
        return True


def test_tools_are_remembered_and_names_of_clients_are_not(rig: ChainRig) -> None:
    counting = Counting()
    view = view_of(rig, counting)
    for _ in range(3):
        view.may_use("tools/call", "reads", READS)
    assert counting.asked == 1
    for number in range(3):
        view.may_use("resources/read", f"note://{number}", READS)
    assert counting.asked == 4
    assert len(view._seen) == 1


def test_a_tool_that_was_replaced_under_its_name_is_judged_anew(rig: ChainRig) -> None:
    view = view_of(rig)
    assert view.may_use("tools/call", "tool", READS)
    assert not view.may_use("tools/call", "tool", DELETES)
    assert view.may_use("tools/call", "tool", READS)


def test_the_fingerprint_tells_clients_and_policies_apart(rig: ChainRig) -> None:
    first = view_of(rig).fingerprint
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\n"))
    assert view_of(rig).fingerprint != first
