"""Handlers that nobody has to trust."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.bubblewrap import WORKSPACE
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.sandbox_config import APART_VARIABLE
from mcp_server.security.apart.door_desk import DoorDesk
from mcp_server.security.doors.sandbox_door import SandboxDoor
from mcp_server.security.doors.staged_workspace import StagedWorkspace
from mcp_server.security.permissions.permission_type import PermissionType

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.pinned_file import PinnedFile
    from mcp_server.resources.isolation.conversation import Conversation
    from mcp_server.security.client_context import ClientContext
    from mcp_server.security.operation import Operation

logger = logging.getLogger(__name__)

_READING: Final = (PermissionType.FILE_READ, PermissionType.DIRECTORY_LIST)
_WRITING: Final = (PermissionType.FILE_WRITE, PermissionType.FILE_WRITE_GLOBAL, PermissionType.FILE_DELETE)

_ENDS: Final = {
    EndReason.CPU: "used more processor time than it may",
    EndReason.MEMORY: "used more memory than it may",
    EndReason.OUTPUT: "said more than it may",
    EndReason.POLICY: "did what its sandbox forbids",
    EndReason.SIGNAL: "crashed",
}


class HandlerDoor(SandboxDoor):
    """Run a module's handler in a sandbox that ends with the call, and has what the call was permitted and no more.

    Of the client's first folder it finds copies, under the folder's own name: of what the call's arguments name where
    the tool's permissions are bound to them, else of everything that the tool declares and the policy grants without a
    question. What it makes of them is written back when it has ended well, as far as the call may write. It has no
    network, can start no program, and sees no other process. For everything else it asks the doors of its call, which
    are here.

    The further arguments are those of `SandboxDoor`.

    Args:
        context: The doors of the call.
        operation: What the call was planned as.
        pinned: What its arguments name and it may read, by absolute paths.
    """

    __slots__ = ("_context", "_operation", "_pinned")

    def __init__(
        self, *, context: ClientContext, operation: Operation, pinned: Mapping[str, PinnedFile], **means: Any
    ) -> None:
        super().__init__(**means)
        self._context = context
        self._operation = operation
        self._pinned = pinned

    async def run(self, program: str, question: Mapping[str, Any], *, code: Sequence[str]) -> tuple[Any, EffectLedger]:
        """Return what a handler's process tells as its result, a JSON value, and what was written back.

        Args:
            program: The text of the program that takes the question, and asks its doors.
            question: What it is asked; the facts about the call are added.
            code: Files and directories of the host that hold its code.

        Raises:
            HandlerFailure: The handler raised what no caller should read.
            MCPServerError: A door's refusal, or the handler's own.
            ResourceUnavailableError: There is no sandbox that is good enough, or the process ended too early.
            LimitExceededError: The client has too many runs already.
        """
        self._sandboxes.require_sufficient()
        if self._sandboxes.tier < IsolationTier.NS:
            raise ResourceUnavailableError(
                "missing",
                "this tool runs in a process of its own, for which this machine has no namespaces; nothing was run, "
                "ask the operator",
            )
        declared = {each.type for each in self._operation.permissions}
        async with AsyncExitStack() as stack:
            workspace: StagedWorkspace | None = None
            path = WORKSPACE
            if self._files is not None and not declared.isdisjoint((*_READING, *_WRITING)):
                path = self._files.roots[0].path
                self._refuse_overlap(code)
                workspace = await stack.enter_async_context(
                    StagedWorkspace.opened(
                        make=partial(self._sandboxes.stage, self._client),
                        files=self._files,
                        gate=self._gate,
                        run_blocking=self._run_blocking,
                    )
                )
                await self._copy_in(workspace)
            may_write = workspace is not None and not declared.isdisjoint(_WRITING)
            request = ExecutionRequest(
                policy=self._sandboxes.policy(may_write=may_write, environment={APART_VARIABLE: "1"}),
                code=program,
                workspace=None if workspace is None else workspace.fileno(),
                workspace_path=path,
                code_paths=tuple(code),
            )
            result = await self._talk(request, question)
            # It has ended: nothing changes any more while it is looked at.
            ledger = await workspace.take_back() if workspace is not None and may_write else EffectLedger()
        return result, ledger

    async def _copy_in(self, workspace: StagedWorkspace) -> None:
        """Copy what the call may read; whole trees only where a permission is bound to no argument."""
        permissions = self._operation.permissions
        is_bound = all(each.arguments for each in permissions if each.type in (*_READING, *_WRITING))
        await workspace.copy_granted(
            list(self._pinned) if is_bound else None,
            beside=[need.text for need in self._operation.needs if need.permission.type in _WRITING],
        )

    async def _talk(self, request: ExecutionRequest, question: Mapping[str, Any]) -> Any:
        context = self._context
        facts = {
            "id": context.id,
            "profile": context.profile,
            "peer": context.peer,
            "max_result_bytes": context.max_result_bytes,
        }
        execution = self._sandboxes.execution
        with self._sandboxes.admitted(self._client):
            self._call.note_isolation(self._sandboxes.tier)
            owner = self._sandboxes.owner(self._client)
            async with (
                execution.conversation(request, owner=owner) as (conversation, begin),
                DoorDesk(context=context, send=conversation.send) as desk,
            ):
                running = begin(desk.take)
                try:
                    conversation.send(pickle.dumps({**question, "facts": facts}))
                    await asyncio.wait({running, desk.outcome}, return_when=asyncio.FIRST_COMPLETED)
                    self._log(conversation)
                    if desk.outcome.done():
                        return desk.outcome.result()
                    raise _ended_early(running.result())
                finally:
                    # This frame is part of the error's stack, and what it names holds the error: without the circle
                    # all of it is freed now, open folders too, and not by the collector some day.
                    del desk, conversation, running, begin

    def _refuse_overlap(self, code: Sequence[str]) -> None:
        """Refuse code where the client's files are: what it may write would run, and it would hide what it may read."""
        assert self._files is not None
        for root in self._files.roots:
            for path in code:
                if os.path.commonpath([path, root.path]) in (path, root.path):
                    logger.error("code of a module and a folder of client %s hold each other", self._client)
                    raise ResourceUnavailableError(
                        "missing",
                        "this tool runs in a process of its own, and its code lies in the client's folder or holds "
                        "it; nothing was run, ask the operator",
                    )

    def _log(self, conversation: Conversation) -> None:
        """Tell the operator what the handler printed; a stranger's words, one line of the log each."""
        said = conversation.complaints
        if said.seen_bytes:
            for line in said.text().splitlines()[:100]:
                logger.info("call %s: the handler printed %.500r", self._context.id, line)


def _ended_early(reason: EndReason) -> ResourceUnavailableError:
    """Return what is said where a process ended before it had told a result."""
    what = _ENDS.get(reason, "ended too early")
    return ResourceUnavailableError("io", f"the process of this tool {what}; nothing came of the call")
