"""Programs of the operator's list that outlive the call that starts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.output_page import (
    MAX_PAGE_BYTES,
    MAX_WAIT_SECONDS,
    MIN_PAGE_BYTES,
    PAGE_BYTES,
    STREAMS,
    OutputPage,
)
from mcp_server.resources.isolation.process_end import ProcessEnd
from mcp_server.resources.isolation.process_state import ProcessState
from mcp_server.security.doors.program_door import ProgramDoor
from mcp_server.security.doors.staged_workspace import StagedWorkspace
from mcp_server.security.permissions.permission_type import PermissionType

if TYPE_CHECKING:
    from mcp_server.resources.isolation.process_session import ProcessSession

LAST_BYTES: Final = 1 << 14
"""How much of the end of each stream is told when a process is taken away."""


class ProcessDoor(ProgramDoor):
    """Start a program as `RunDoor` does, and come back to it in later calls; each comes through the gate again.

    A process belongs to the client that started it, and no other client learns that it is there. Reading, writing and
    stopping need the right to its very command still: where a new policy takes that away, the process is ended. It ends
    with the operator's `session_seconds`, when nobody has used it for ten minutes, and with the server.

    Where it works on files it has copies, as with `RunDoor`. What it makes of them is written back by `stop`, once,
    with the rights of the call that stops it; who never calls `stop` has left the files as they were.

    The arguments are those of `ProgramDoor`.
    """

    __slots__ = ()

    async def start(self, program: str, arguments: Sequence[str] = (), *, stdin: str | bytes = b"") -> ProcessState:
        """Start a program and return at once; its `id` is what the other methods take.

        Args:
            program: Its name in the operator's list.
            arguments: Its arguments, one text each.
            stdin: What it can read first; its input stays open for `write`.

        Raises:
            InvalidArgumentsError: There is no such program in the list, or its arguments have none of the listed forms.
            PermissionDeniedError: The client may not run it with these arguments.
            LimitExceededError: There are too many processes, or the client's folder is too large to be copied.
            ResourceUnavailableError: There is no sandbox that is good enough, so nothing was run.
        """
        found, command = await self._permitted(program, arguments)
        request = self._request(found, arguments, stdin=stdin)
        files = None if found.workspace == "none" else self._folder
        sessions = self._sandboxes.processes
        owner = self._sandboxes.owner(self._client)
        session = sessions.admit(
            client=self._client,
            program=program,
            arguments=tuple(arguments),
            command=command,
            is_permitted=self._gate.standing(PermissionType.SYSTEM_COMMAND, command),
        )
        try:
            if files is not None:
                await self._run_blocking(session.stage, partial(self._sandboxes.stage, self._client))
                session.may_write = found.workspace == "write"
                session.home = (files.roots[0].device, files.roots[0].inode)
                workspace = self._workspace(session)
                await workspace.copy_in(hidden=found.hidden, substitutes=found.substitutes)
            self._call.note_isolation(session.tier)
            await sessions.start(session, request, owner=owner)
        except BaseException:
            await sessions.discard(session)
            raise
        return session.state

    async def read(
        self,
        process: str,
        *,
        stream: str = "stdout",
        offset: int = 0,
        max_bytes: int = PAGE_BYTES,
        wait_seconds: float = 0.0,
    ) -> OutputPage:
        """Return a part of what a process wrote; the same part can be read again as long as it is kept.

        Args:
            process: Its id.
            stream: `stdout` or `stderr`.
            offset: Where to begin, in bytes from the beginning of the stream: 0, or `next_offset` of an earlier page.
            max_bytes: How much at most, from `MIN_PAGE_BYTES` to `MAX_PAGE_BYTES`.
            wait_seconds: How long to wait where there is nothing yet, `MAX_WAIT_SECONDS` at most.

        Raises:
            InvalidArgumentsError: There is no such stream, or nothing at that offset ever was.
            PermissionDeniedError: The client may run its command no more; the process is ended.
            ResourceUnavailableError: There is no such process.
        """
        if stream not in STREAMS:
            raise InvalidArgumentsError([f"a process writes {' and '.join(STREAMS)}"])
        if not MIN_PAGE_BYTES <= max_bytes <= MAX_PAGE_BYTES:
            raise InvalidArgumentsError([f"a page has {MIN_PAGE_BYTES} to {MAX_PAGE_BYTES} bytes"])
        session = await self._found(process)
        job = session.started_job
        seen = job.rings[stream].seen_bytes
        if not 0 <= offset <= seen:
            raise InvalidArgumentsError([f"only {seen} bytes of {stream} were written until now; begin at or before"])
        if wait_seconds > 0 and job.is_running:
            await job.wait_for_text(stream, offset, min(wait_seconds, MAX_WAIT_SECONDS))
            # The policy may have changed meanwhile, and the process may have been taken away.
            session = await self._found(process)
        return session.page(stream, offset, max_bytes)

    async def write(self, process: str, text: str, *, close: bool = False) -> int:
        """Give a process text to read; return how many characters were taken.

        Fewer than all are taken where it has not read what it was given before; the rest is to be sent again later, and
        the input then stays open.

        Args:
            process: Its id.
            text: The text, up to 64 KiB.
            close: Whether nothing more will come.

        Raises:
            LimitExceededError: The text is too long.
            PermissionDeniedError: The client may run its command no more; the process is ended.
            ResourceUnavailableError: There is no such process, or it reads no input any more.
        """
        session = await self._found(process)
        return session.started_job.write(text, close=close)

    async def stop(self, process: str, *, discard: bool = False) -> ProcessEnd:
        """End a process, write back what it did to its copies of files, and take it away; also when it has ended.

        It is killed, without a chance to do anything more. What is refused to be written back stands in the effects.
        When a human was asked and did not agree, or there was no room, nothing was written and the process is still
        there, for another `stop`.

        Args:
            process: Its id.
            discard: Leave the client's files as they are.

        Raises:
            PermissionDeniedError: The client may run its command no more; the process is ended.
            ConsentRequiredError: A human was asked, and did not agree; nothing was written.
            ResourceUnavailableError: There is no such process, or another call is ending it.
        """
        session = await self._found(process)
        sessions = self._sandboxes.processes
        effects = EffectLedger()
        with session.collected():
            await sessions.end(session)
            if session.job is not None and session.job.failure is not None:
                await sessions.discard(session)
                raise session.job.failure
            if session.may_write and not discard:
                effects = await self._workspace(session).take_back()
            stdout, stderr = (session.page(stream, -LAST_BYTES, LAST_BYTES) for stream in STREAMS)
            await sessions.discard(session)
        return ProcessEnd(session.state, stdout, stderr, effects)

    def states(self) -> list[ProcessState]:
        """Return the client's processes, those that have ended and were not stopped included; counts as no use."""
        allows = self._gate.allows
        return [
            session.state
            for session in self._sandboxes.processes.of(self._client)
            if allows(PermissionType.SYSTEM_COMMAND, session.command)
        ]

    async def _found(self, process: str) -> ProcessSession:
        """Return a process of the client that it may use still."""
        sessions = self._sandboxes.processes
        session = sessions.find(self._client, process)
        try:
            await self._gate.require(PermissionType.SYSTEM_COMMAND, session.command)
        except PermissionDeniedError:
            # The tool may only have declared less than the one that started it; what counts is the policy.
            if not session.is_permitted():
                await sessions.discard(session, EndReason.REVOKED)
            raise
        session.touch()
        self._call.note_isolation(session.tier)
        return session

    def _workspace(self, session: ProcessSession) -> StagedWorkspace:
        """Return the copies that a process works on, for this call and its rights.

        Raises:
            ResourceUnavailableError: They are gone, or were made of another folder.
        """
        files = self._folder
        if session.area is None:
            raise ResourceUnavailableError("missing", "the files of this process are gone")
        if (files.roots[0].device, files.roots[0].inode) != session.home:
            raise ResourceUnavailableError(
                "changed", "this client has another folder than when the process was started; stop it with discard"
            )

        async def run_blocking(function: Callable[..., Any], /, *args: Any) -> Any:
            return await self._run_blocking(session.exclusively, function, *args)

        return StagedWorkspace(area=session.area, files=files, gate=self._gate, run_blocking=run_blocking)
