"""Programs of the operator's list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.security.doors.program_door import ProgramDoor
from mcp_server.security.doors.sandbox_network import SandboxNetwork
from mcp_server.security.doors.staged_workspace import StagedWorkspace


class RunDoor(ProgramDoor):
    """Run a program that the operator listed, with arguments of a form that he listed, in a sandbox of its own.

    There is no shell, and no way to name a program by its path. Of the network it has what the call named and was
    permitted: nothing, unless it says so. Where the operator lets it see the client's files it gets copies of those
    that the client may read; what it makes of them is written back as far as the client may write.

    The arguments are those of `ProgramDoor`.
    """

    __slots__ = ()

    async def __call__(
        self,
        program: str,
        arguments: Sequence[str] = (),
        *,
        stdin: str | bytes = b"",
        network: Sequence[str] = (),
        timeout_seconds: float | None = None,
        on_output: Callable[[str, bytes], None] | None = None,
    ) -> tuple[ExecutionResult, EffectLedger]:
        """Run a program to its end; return what became of it, and what of its work was written back.

        Args:
            program: Its name in the operator's list.
            arguments: Its arguments, one text each.
            stdin: What it can read.
            network: Hosts and ports that it may connect to, through a proxy; each needs NETWORK_CONNECT.
            timeout_seconds: How long it may take; never longer than the operator lets it.
            on_output: Told of each piece of output as it comes, with the stream's name.

        Raises:
            InvalidArgumentsError: There is no such program in the list, or its arguments have none of the listed forms.
            PermissionDeniedError: The client may not run it with these arguments, or not reach that.
            LimitExceededError: It has too many runs already, or its folder is too large to be copied.
            ResourceUnavailableError: There is no sandbox that is good enough, so nothing was run.
        """
        found, _ = await self._permitted(program, arguments)
        reachable = SandboxNetwork(gate=self._gate, sandboxes=self._sandboxes, client=self._client)
        allowed = await reachable.permit(network)

        def request(workspace: int | None) -> ExecutionRequest:
            return self._request(
                found,
                arguments,
                stdin=stdin,
                timeout_seconds=timeout_seconds,
                workspace=workspace,
                on_output=on_output,
                network=allowed,
                open_proxy=reachable.open_proxy,
            )

        if found.workspace == "none":
            return await self._execute(request(None)), EffectLedger()
        files = self._folder
        # Asked first: without a sandbox nothing is copied.
        self._sandboxes.require_sufficient()
        async with StagedWorkspace.opened(
            make=partial(self._sandboxes.stage, self._client),
            files=files,
            gate=self._gate,
            run_blocking=self._run_blocking,
        ) as workspace:
            await workspace.copy_in(hidden=found.hidden, substitutes=found.substitutes)
            result = await self._execute(request(workspace.fileno()))
            ledger = await workspace.take_back() if found.workspace == "write" else EffectLedger()
        return result, ledger
