"""Programs of the operator's list."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.program import Program
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.security.call_gate import CallGate
from mcp_server.security.doors.staged_workspace import StagedWorkspace
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.running_call import RunningCall

if TYPE_CHECKING:
    from mcp_server.resources.filesystem_manager import FileSystemManager
    from mcp_server.resources.sandbox_manager import SandboxManager


class RunDoor:
    """Run a program that the operator listed, with arguments of a form that he listed, in a sandbox of its own.

    There is no shell, and no way to name a program by its path. It has no network. Where the operator lets it see the
    client's files it gets copies of those that the client may read; what it makes of them is written back as far as the
    client may write.

    Args:
        gate: Asks whether the client may.
        sandboxes: What contains it.
        files: The client's files, None when it has no folder.
        client: The client's name.
        call: The call.
        run_blocking: Runs a function with its arguments in a thread.
    """

    __slots__ = ("_call", "_client", "_files", "_gate", "_run_blocking", "_sandboxes")

    def __init__(
        self,
        *,
        gate: CallGate,
        sandboxes: SandboxManager,
        files: FileSystemManager | None,
        client: str,
        call: RunningCall,
        run_blocking: Callable[..., Awaitable[Any]],
    ) -> None:
        self._gate = gate
        self._sandboxes = sandboxes
        self._files = files
        self._client = client
        self._call = call
        self._run_blocking = run_blocking

    @property
    def programs(self) -> Sequence[Program]:
        """The operator's list."""
        return tuple(self._sandboxes.config.programs.values())

    async def __call__(
        self,
        program: str,
        arguments: Sequence[str] = (),
        *,
        stdin: str | bytes = b"",
        timeout_seconds: float | None = None,
        on_output: Callable[[str, bytes], None] | None = None,
    ) -> tuple[ExecutionResult, EffectLedger]:
        """Run a program to its end; return what became of it, and what of its work was written back.

        Args:
            program: Its name in the operator's list.
            arguments: Its arguments, one text each.
            stdin: What it can read.
            timeout_seconds: How long it may take; never longer than the operator lets it.
            on_output: Told of each piece of output as it comes, with the stream's name.

        Raises:
            InvalidArgumentsError: There is no such program in the list, or its arguments have none of the listed forms.
            PermissionDeniedError: The client may not run it with these arguments.
            ResourceUnavailableError: There is no sandbox that is good enough, so nothing was run.
        """
        found = self._sandboxes.config.programs.get(program)
        if found is None:
            known = ", ".join(self._sandboxes.config.programs) or "none"
            raise InvalidArgumentsError([f"there is no program {program!r} in the operator's list; it has {known}"])
        if not found.allows(arguments):
            forms = "; ".join(f"{found.name} {form.text}" for form in found.forms)
            raise InvalidArgumentsError([f"these arguments have none of the forms that are allowed: {forms}"])
        await self._gate.require(PermissionType.SYSTEM_COMMAND, shlex.join([program, *arguments]))
        problem = found.problem()
        if problem is not None:
            raise ResourceUnavailableError("missing", f"the program {program!r} cannot be run; ask the operator")
        policy = self._sandboxes.policy(
            timeout_seconds=timeout_seconds,
            may_execute=True,
            may_write=found.workspace == "write",
            environment=found.environment,
        )
        if found.workspace == "none":
            return await self._run(found, policy, arguments, stdin, None, on_output), EffectLedger()
        if self._files is None:
            raise ResourceUnavailableError("missing", "this client has no folder; the operator can give it one")
        # Asked first: without a sandbox nothing is copied.
        self._sandboxes.require_sufficient()
        workspace = StagedWorkspace(
            area=await self._run_blocking(self._sandboxes.stage, self._client),
            files=self._files,
            gate=self._gate,
            run_blocking=self._run_blocking,
        )
        try:
            await workspace.copy_in()
            result = await self._run(found, policy, arguments, stdin, workspace.fileno(), on_output)
            ledger = await workspace.take_back() if found.workspace == "write" else EffectLedger()
        finally:
            await workspace.discard()
        return result, ledger

    async def _run(
        self,
        program: Program,
        policy: SandboxPolicy,
        arguments: Sequence[str],
        stdin: str | bytes,
        workspace: int | None,
        on_output: Callable[[str, bytes], None] | None,
    ) -> ExecutionResult:
        try:
            request = ExecutionRequest(
                policy=policy,
                program=program.path,
                arguments=tuple(arguments),
                stdin=stdin.encode() if isinstance(stdin, str) else stdin,
                workspace=workspace,
                on_output=on_output,
            )
        except ValueError as error:
            raise InvalidArgumentsError([str(error)]) from error
        execution = self._sandboxes.execution
        self._call.note_isolation(self._sandboxes.tier)
        return await execution.run(request, owner=self._sandboxes.owner(self._client))
