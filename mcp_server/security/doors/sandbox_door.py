"""What the doors share behind which something is executed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.security.call_gate import CallGate
from mcp_server.security.running_call import RunningCall

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.client_files import ClientFiles
    from mcp_server.resources.sandbox_manager import SandboxManager


class SandboxDoor:
    """Executes for the client that made the call, in its account, and notes in which tier.

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
        files: ClientFiles | None,
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
    def _folder(self) -> ClientFiles:
        """The client's files.

        Raises:
            ResourceUnavailableError: It has none.
        """
        if self._files is None:
            raise ResourceUnavailableError("missing", "this client has no folder; the operator can give it one")
        return self._files

    async def _execute(self, request: ExecutionRequest) -> ExecutionResult:
        """Run a request that was permitted.

        Raises:
            LimitExceededError: The client has too many runs already.
            ResourceUnavailableError: There is no sandbox that is good enough, so nothing was run.
        """
        execution = self._sandboxes.execution
        with self._sandboxes.admitted(self._client):
            self._call.note_isolation(self._sandboxes.tier)
            return await execution.run(request, owner=self._sandboxes.owner(self._client))
