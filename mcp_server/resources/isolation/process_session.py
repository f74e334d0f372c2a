"""One long-running process: whose it is, what it was started as, and the files it works on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.output_page import OutputPage
from mcp_server.resources.isolation.process_job import ProcessJob
from mcp_server.resources.isolation.process_state import ProcessState
from mcp_server.resources.isolation.staging_area import StagingArea

T = TypeVar("T")


class ProcessSession:
    """A process that outlives the call that started it; `ProcessSessions` makes it, and ends it.

    Args:
        process_id: Its name, which nobody can guess.
        client: Whose it is.
        program: The program's name in the operator's list.
        arguments: The program's arguments.
        command: The whole command, as the policy knows it.
        tier: What contains it.
        is_permitted: Tells whether the policy lets the client run the command still.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        process_id: str,
        client: str,
        program: str,
        arguments: tuple[str, ...],
        command: str,
        tier: IsolationTier,
        is_permitted: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self.id = process_id
        self.client = client
        self.program = program
        self.arguments = arguments
        self.command = command
        self.tier = tier
        self.is_permitted = is_permitted
        self.job: ProcessJob | None = None
        # The copies it works on, whether they are written back, and the folder they were made of.
        self.area: StagingArea | None = None
        self.may_write = False
        self.home: tuple[int, int] | None = None
        self.starting = asyncio.Lock()
        self.is_leaving = False
        self.is_collected = False
        self._clock = clock
        self._lock = threading.Lock()
        self.touch()

    @property
    def is_running(self) -> bool:
        """Whether its program runs."""
        return self.job is not None and self.job.is_running

    @property
    def state(self) -> ProcessState:
        """What is known of it now."""
        job = self.job
        return ProcessState(
            id=self.id,
            client=self.client,
            program=self.program,
            arguments=self.arguments,
            running=self.is_running,
            reason=None if job is None or job.is_running else job.reason,
            exit_code=None if job is None else job.exit_code,
            signal=None if job is None else job.signal,
            seconds=0.0 if job is None else job.seconds,
            stdout_bytes=0 if job is None else job.rings["stdout"].seen_bytes,
            stderr_bytes=0 if job is None else job.rings["stderr"].seen_bytes,
            tier=self.tier,
        )

    @property
    def started_job(self) -> ProcessJob:
        """Its job.

        Raises:
            ResourceUnavailableError: It could not be begun.
        """
        assert self.job is not None
        if self.job.failure is not None:
            raise self.job.failure
        return self.job

    @property
    def idle_seconds(self) -> float:
        """How long nobody has used it."""
        return self._clock() - self._used

    def touch(self) -> None:
        """Note that somebody uses it."""
        self._used = self._clock()

    def page(self, stream: str, offset: int, max_bytes: int) -> OutputPage:
        """Return a part of what it wrote.

        Args:
            stream: `stdout` or `stderr`.
            offset: Where to begin; from the end where it is negative.
            max_bytes: How much at most.
        """
        job = self.started_job
        ring = job.rings[stream]
        begin = max(ring.first, ring.seen_bytes + offset) if offset < 0 else offset
        text, start, end = ring.text(begin, max_bytes, is_whole=not job.is_running)
        return OutputPage(text, start, end, ring.seen_bytes, start - begin, self.state)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep everybody else from taking back its work, and the idle limit from ending it, meanwhile.

        Raises:
            ResourceUnavailableError: Somebody does already.
        """
        if self.is_collected:
            raise ResourceUnavailableError("busy", "another call is ending this process")
        self.is_collected = True
        try:
            yield
        finally:
            self.is_collected = False
            self.touch()

    def stage(self, make: Callable[[], StagingArea]) -> None:
        """Make the directory for its copies; blocks while somebody uses it, and does nothing when it is leaving.

        A call that is cancelled while this runs in a thread leaves no directory that nobody knows.
        """
        with self._lock:
            if not self.is_leaving:
                self.area = make()

    def exclusively(self, function: Callable[..., T], /, *args: Any) -> T:
        """Call a function that uses the copies; blocks while another does.

        A call that is cancelled does not end what it has running in a thread.
        """
        with self._lock:
            return function(*args)

    def discard_files(self) -> None:
        """Remove the copies; blocks while somebody uses them."""
        with self._lock:
            area, self.area = self.area, None
            if area is not None:
                area.discard()
