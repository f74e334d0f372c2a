from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.root_action import RootAction
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.isolation.sudo_config import SudoConfig
from mcp_server.resources.sandbox_manager import SandboxManager
from mcp_server.security.call_gate import CallGate
from mcp_server.security.doors.root_action_door import RootActionDoor
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.running_call import RunningCall

SYNC = RootAction("sync", "/usr/bin/sync")


class OpenGate(CallGate):
    """Lets everything pass, as a policy would that no file has written."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        self.asked.append(resource)

    def allows(self, *about: object, **more: object) -> bool:
        return True


def door(sudo: SudoConfig) -> tuple[RootActionDoor, OpenGate, RunningCall]:
    gate = OpenGate()
    call = RunningCall(call_id="c", peer=None, task=None, started=0.0, deadline=1.0)
    sandboxes = SandboxManager(config=replace(SandboxConfig(), sudo=sudo))
    return RootActionDoor(gate=gate, sandboxes=sandboxes, call=call), gate, call


@pytest.mark.parametrize("sudo", [SudoConfig(), SudoConfig(actions={"sync": SYNC}), SudoConfig(is_enabled=True)])
def test_a_right_alone_does_nothing_where_there_is_no_such_action(sudo: SudoConfig) -> None:
    opened, gate, call = door(sudo)
    with pytest.raises(ResourceUnavailableError, match="no root action 'sync'"):
        asyncio.run(opened("sync"))
    assert opened.actions == ()
    assert gate.asked == ["sync"]
    assert call.isolation is None


def test_nothing_is_noted_as_done_that_was_refused_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SandboxManager, "tier", property(lambda self: IsolationTier.LSM))
    opened, _, call = door(SudoConfig(is_enabled=True, actions={"sync": SYNC}))
    with pytest.raises(ResourceUnavailableError, match="ask the operator"):
        asyncio.run(opened("sync"))
    assert opened.actions == (SYNC,)
    assert call.isolation is None
