"""What has to be right before a program of the operator's list is run, however long it runs."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.program import Program
from mcp_server.security.doors.sandbox_door import SandboxDoor
from mcp_server.security.permissions.permission_type import PermissionType


class ProgramDoor(SandboxDoor):
    """The checks that `RunDoor` and `ProcessDoor` share; neither has a way around them."""

    __slots__ = ()

    @property
    def programs(self) -> Sequence[Program]:
        """The operator's list."""
        return tuple(self._sandboxes.config.programs.values())

    async def _permitted(self, program: str, arguments: Sequence[str]) -> tuple[Program, str]:
        """Return the program, and the whole command as the policy knows it, when the client may run it.

        Raises:
            InvalidArgumentsError: There is no such program in the list, or its arguments have none of the listed forms.
            PermissionDeniedError: The client may not run it with these arguments.
            ResourceUnavailableError: The file is not what it has to be.
        """
        found = self._sandboxes.config.programs.get(program)
        if found is None:
            known = ", ".join(self._sandboxes.config.programs) or "none"
            raise InvalidArgumentsError([f"there is no program {program!r} in the operator's list; it has {known}"])
        if not found.allows(arguments):
            forms = "; ".join(f"{found.name} {form.text}" for form in found.forms)
            raise InvalidArgumentsError([f"these arguments have none of the forms that are allowed: {forms}"])
        command = shlex.join([program, *arguments])
        await self._gate.require(PermissionType.SYSTEM_COMMAND, command)
        problem = found.problem()
        if problem is not None:
            raise ResourceUnavailableError("missing", f"the program {program!r} cannot be run; ask the operator")
        return found, command

    def _request(self, program: Program, arguments: Sequence[str], **more: Any) -> ExecutionRequest:
        """Return the run of a permitted program; see `SandboxManager.program_request`.

        Raises:
            InvalidArgumentsError: What is given cannot be run.
        """
        try:
            return self._sandboxes.program_request(program, arguments, **more)
        except ValueError as error:
            raise InvalidArgumentsError([str(error)]) from error
