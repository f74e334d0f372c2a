"""Python programs that nobody trusts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.security.doors.sandbox_door import SandboxDoor
from mcp_server.security.doors.sandbox_network import SandboxNetwork
from mcp_server.security.doors.staged_workspace import StagedWorkspace
from mcp_server.security.permissions.permission_type import PermissionType

if TYPE_CHECKING:
    pass

PYTHON: Final = "python"
"""What a policy calls the language."""

MAX_CODE_BYTES: Final = 1 << 20
"""The longest program."""


class CodeDoor(SandboxDoor):
    """Run Python programs in a sandbox of their own, for the client that made the call.

    What runs can neither start another program nor reach the client's folder or this server, and of the network what
    the call named and was permitted: nothing, unless it says so. It has what it is given, a directory that is gone
    afterwards, and the standard library.
    """

    __slots__ = ()

    async def run_python(
        self,
        code: str,
        *,
        arguments: Sequence[str] = (),
        stdin: str | bytes = b"",
        files: Sequence[str] = (),
        network: Sequence[str] = (),
        timeout_seconds: float | None = None,
        on_output: Callable[[str, bytes], None] | None = None,
    ) -> ExecutionResult:
        """Run a program to its end and return what became of it, whatever that was.

        Args:
            code: Its text.
            arguments: What it finds in `sys.argv[1:]`.
            stdin: What it can read.
            files: Files of the client that it finds as copies in its working directory; each needs FILE_READ.
            network: Hosts and ports that it may connect to, through a proxy; each needs NETWORK_CONNECT.
            timeout_seconds: How long it may take; never longer than the operator lets it.
            on_output: Told of each piece of output as it comes, with the stream's name.

        Raises:
            PermissionDeniedError: The client may not run Python, or not reach that.
            ResourceUnavailableError: There is no sandbox that is good enough, so nothing was run.
            InvalidArgumentsError: What is given cannot be run.
        """
        await self._gate.require(PermissionType.CODE_EXECUTION, PYTHON)
        if len(code) > MAX_CODE_BYTES:
            raise InvalidArgumentsError([f"the program is longer than {MAX_CODE_BYTES} characters"])
        reachable = SandboxNetwork(gate=self._gate, sandboxes=self._sandboxes, client=self._client)
        allowed = await reachable.permit(network)
        policy = self._sandboxes.policy(timeout_seconds=timeout_seconds, network=allowed)
        if not files:
            return await self._run(policy, code, arguments, stdin, None, on_output, reachable)
        folder = self._folder
        # Asked first: without a sandbox nothing is copied.
        self._sandboxes.require_sufficient()
        async with StagedWorkspace.opened(
            make=partial(self._sandboxes.stage, self._client),
            files=folder,
            gate=self._gate,
            run_blocking=self._run_blocking,
        ) as workspace:
            await workspace.copy_in(files)
            return await self._run(policy, code, arguments, stdin, workspace.fileno(), on_output, reachable)

    async def _run(
        self,
        policy: SandboxPolicy,
        code: str,
        arguments: Sequence[str],
        stdin: str | bytes,
        workspace: int | None,
        on_output: Callable[[str, bytes], None] | None,
        reachable: SandboxNetwork,
    ) -> ExecutionResult:
        try:
            request = ExecutionRequest(
                policy=policy,
                code=code,
                arguments=tuple(arguments),
                stdin=stdin.encode() if isinstance(stdin, str) else stdin,
                workspace=workspace,
                on_output=on_output,
                open_proxy=reachable.open_proxy,
            )
        except ValueError as error:
            raise InvalidArgumentsError([str(error)]) from error
        return await self._execute(request)
