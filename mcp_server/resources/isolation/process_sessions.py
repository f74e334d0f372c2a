"""All long-running processes of a server, and their bounds."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.process_job import ProcessJob
from mcp_server.resources.isolation.process_session import ProcessSession
from mcp_server.resources.isolation.process_state import ProcessState

if TYPE_CHECKING:
    from mcp_server.resources.execution_manager import ExecutionManager

logger = logging.getLogger(__name__)

MAX_SESSIONS: Final = 16
"""Of all clients together: each is a sandbox with its limits of memory, and a copy of a folder."""

MAX_SESSIONS_PER_CLIENT: Final = 4
"""Of one client: a server, a build, a shell and something else; who needs more has forgotten one."""

IDLE_SECONDS: Final = 600.0
"""Nobody looked at it for ten minutes: whoever started it has forgotten it, or is gone."""

SWEEP_SECONDS: Final = 1.0
"""How late an idle process, or one whose permission was taken away, may be noticed when nobody uses it."""

ID_BYTES: Final = 16
"""As many as nobody can guess; beside that, an id is of use to its own client alone."""


class ProcessSessions:
    """Start processes that outlive their calls, keep them for their clients, and end each of them in time.

    A process that has ended stays until it is collected: what it wrote can be read, and what it did to its copies of
    files written back. One that nobody has used for `IDLE_SECONDS` is ended, and one that has ended is taken away after
    the same time. It is taken away at once when the policy lets its client run its command no more.

    Args:
        execution: Makes the sandboxes.
        tier: What they hold.
        session_seconds: How long a process may run.
        on_end: Told of every end, whatever its cause.
        clock: Monotonic seconds.
        new_id: Makes an id.
    """

    def __init__(
        self,
        *,
        execution: ExecutionManager,
        tier: IsolationTier,
        session_seconds: float,
        on_end: Callable[[ProcessState], None] = lambda state: None,
        clock: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: secrets.token_hex(ID_BYTES),
    ) -> None:
        self._execution = execution
        self._tier = tier
        self._session_seconds = session_seconds
        self._on_end = on_end
        self._clock = clock
        self._new_id = new_id
        self._sessions: dict[str, ProcessSession] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._sessions)

    def admit(
        self, *, client: str, program: str, arguments: tuple[str, ...], command: str, is_permitted: Callable[[], bool]
    ) -> ProcessSession:
        """Take a place for a process, before anything is made for it; `discard` gives it back.

        Args:
            client: Whose it is.
            program: The program's name in the operator's list.
            arguments: The program's arguments.
            command: The whole command, as the policy knows it.
            is_permitted: Tells whether the policy lets the client run the command still; asked again and again.

        Raises:
            LimitExceededError: There are too many.
            ResourceUnavailableError: The server is stopping.
        """
        if self._is_closed:
            raise ResourceUnavailableError("busy", "the server is stopping")
        if sum(each.client == client for each in self._sessions.values()) >= MAX_SESSIONS_PER_CLIENT:
            raise LimitExceededError(
                "client_processes",
                f"{MAX_SESSIONS_PER_CLIENT} processes are kept for you already, those that have ended and were not "
                "collected included; stop one of them first",
            )
        if len(self._sessions) >= MAX_SESSIONS:
            raise LimitExceededError(
                "processes", f"{MAX_SESSIONS} processes are kept for all clients already; try again later"
            )
        session = ProcessSession(
            process_id=self._new_id(),
            client=client,
            program=program,
            arguments=arguments,
            command=command,
            tier=self._tier,
            is_permitted=is_permitted,
            clock=self._clock,
        )
        self._sessions[session.id] = session
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="mcp-server-processes")
        return session

    async def start(
        self, session: ProcessSession, request: ExecutionRequest, *, owner: tuple[int, int] | None = None
    ) -> None:
        """Start the process of a session.

        Args:
            session: Where it was admitted.
            request: What is to be run; its workspace is the session's.
            owner: The user and group that it runs as on the host, None for the server's own.

        Raises:
            ResourceUnavailableError: The sandbox asked for cannot be had, or the server is stopping; nothing was run.
        """
        # The directory is not closed while a sandbox is being made of it.
        async with session.starting:
            if session.is_leaving:
                raise ResourceUnavailableError("busy", "the server is stopping")
            if session.area is not None:
                request = replace(request, workspace=session.area.fileno())
            worker = await self._execution.prepare(request, owner=owner)
            session.job = ProcessJob(
                worker=worker,
                request=request,
                job=self._execution.job(request, worker.view),
                wall_seconds=self._session_seconds,
                clock=self._clock,
            )
            session.touch()
            # It is no call's: the task ends with its process, and that with the session.
            self._running[session.id] = asyncio.create_task(self._run(session, session.job), name="mcp-server-process")

    def find(self, client: str, process_id: str) -> ProcessSession:
        """Return a client's process; that of another client is answered like one that never was.

        Raises:
            ResourceUnavailableError: `missing`: there is none.
        """
        session = self._sessions.get(process_id)
        if session is None or session.client != client or session.job is None or session.is_leaving:
            raise ResourceUnavailableError(
                "missing", "there is no such process; it was stopped, or nobody used it for too long"
            )
        return session

    def of(self, client: str) -> list[ProcessSession]:
        """Return a client's processes, in the order in which they were started."""
        return [
            each
            for each in self._sessions.values()
            if each.client == client and each.job is not None and not each.is_leaving
        ]

    async def end(self, session: ProcessSession, reason: EndReason = EndReason.CANCELLED) -> None:
        """End a process and return when nothing of it runs any more; it stays to be collected."""
        if session.job is not None:
            session.job.stop(reason)
        running = self._running.get(session.id)
        if running is not None:
            await asyncio.shield(running)

    async def discard(self, session: ProcessSession, reason: EndReason = EndReason.CANCELLED) -> None:
        """End a process and take away what is left of it; harmless when done already."""
        session.is_leaving = True
        # Whoever waits for it may be cancelled; it is done all the same.
        await asyncio.shield(self._spawn(self._discard(session, reason)))

    async def sweep(self) -> None:
        """End what nobody has used for too long, and what is permitted no more."""
        leaving = []
        for session in tuple(self._sessions.values()):
            if session.job is None or session.is_leaving:
                continue
            if not session.is_permitted():
                leaving.append(self.discard(session, EndReason.REVOKED))
            elif session.idle_seconds >= IDLE_SECONDS and not session.is_collected:
                if session.is_running:
                    # Once more as long, so that whoever comes back can see what became of it.
                    session.touch()
                    session.job.stop(EndReason.IDLE)
                else:
                    leaving.append(self.discard(session))
        await asyncio.gather(*leaving)

    async def close(self) -> None:
        """End every process, take away what is left of it, and start no more."""
        self._is_closed = True
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        everything = tuple(self._sessions.values())
        await asyncio.gather(*(self.discard(each, EndReason.SHUTDOWN) for each in everything), return_exceptions=True)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _run(self, session: ProcessSession, job: ProcessJob) -> None:
        try:
            await job.run()
        finally:
            self._running.pop(session.id, None)
            self._on_end(session.state)

    async def _discard(self, session: ProcessSession, reason: EndReason) -> None:
        async with session.starting:
            try:
                await self.end(session, reason)
            finally:
                try:
                    await asyncio.to_thread(session.discard_files)
                finally:
                    self._sessions.pop(session.id, None)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Exception:
                logger.exception("the processes of the clients could not be looked at")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="mcp-server-process-end")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task
