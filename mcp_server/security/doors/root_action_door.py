"""What the operator lets be done as root."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.root_action import RootAction
from mcp_server.resources.isolation.root_action_result import RootActionResult
from mcp_server.security.call_gate import CallGate
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.running_call import RunningCall

if TYPE_CHECKING:
    from mcp_server.resources.sandbox_manager import SandboxManager


class RootActionDoor:
    """Do one of the actions that the operator wrote down, as root and outside of any sandbox.

    The client says which, and what stands in its slots; nothing else of it is the client's. There is no shell, no
    password, and no way to name a program. See `RootActions` for what is looked at before anything is run.

    Args:
        gate: Asks whether the client may.
        sandboxes: What does it.
        call: The call.
    """

    __slots__ = ("_call", "_gate", "_sandboxes")

    def __init__(self, *, gate: CallGate, sandboxes: SandboxManager, call: RunningCall) -> None:
        self._gate = gate
        self._sandboxes = sandboxes
        self._call = call

    @property
    def actions(self) -> Sequence[RootAction]:
        """Those actions of the operator's list that this client may have done."""
        config = self._sandboxes.config.sudo
        if not config.is_enabled:
            return ()
        kind = PermissionType.CODE_EXECUTION_SUDO
        return tuple(action for name, action in config.actions.items() if self._gate.allows(kind, name))

    async def __call__(self, action: str, arguments: Mapping[str, object] | None = None) -> RootActionResult:
        """Do an action, and return what became of it.

        Args:
            action: Its name in the operator's list.
            arguments: What stands in its slots, by their names.

        Raises:
            InvalidArgumentsError: What stands in the slots does not fit them.
            PermissionDeniedError: The client may not have it done, or a human did not confirm it.
            LimitExceededError: It was done too often.
            ResourceUnavailableError: It cannot be done here, and was not.
        """
        kind = PermissionType.CODE_EXECUTION_SUDO
        await self._gate.require(kind, action)
        config = self._sandboxes.config.sudo
        found = config.actions.get(action) if config.is_enabled else None
        if found is None:
            raise ResourceUnavailableError("missing", f"there is no root action {action!r}; ask the operator")
        try:
            command = found.command(arguments or {})
        except ValueError as error:
            raise InvalidArgumentsError([f"{action}: {error}"]) from error
        root_actions = self._sandboxes.root_actions
        # Asked first: nobody is to confirm what is not done anyway.
        root_actions.require_ready(found)
        if found.must_confirm:
            await self._gate.confirm(kind, action, f"As root it runs: {shlex.join(command)}")
        # No sandbox contains it, and result and record say so.
        self._call.note_isolation(IsolationTier.NONE)
        return await root_actions.run(found, command)
