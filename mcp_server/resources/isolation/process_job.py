"""A job that nobody waits for: its output is kept until it is asked for, and its input comes bit by bit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.output_ring import OutputRing
from mcp_server.resources.isolation.sandbox_job import SandboxJob
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker

logger = logging.getLogger(__name__)

MAX_INPUT_BYTES: Final = 1 << 16
"""Input that it has not read yet: as much again as the kernel's pipe holds."""

BURST_BYTES: Final = 1 << 20
BURST_SECONDS: Final = 0.05
"""After so much of a stream nothing more of it is read for so long: 20 MiB a second, or a program that floods its
output would keep the server from everything else."""


class ProcessJob(SandboxJob):
    """Keep the end of what it writes, feed it what it is given, and remember how it ended.

    Args:
        worker: The sandbox, whose only job this is.
        request: The job; its `stdin` is given first, and the input stays open after it.
        job: What the runner is told.
        wall_seconds: How long it may take.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        worker: SandboxWorker,
        request: ExecutionRequest,
        job: Mapping[str, Any],
        wall_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(worker=worker, request=request, job=job, wall_seconds=wall_seconds, clock=clock)
        # It can be fed before its task has begun.
        self._loop = asyncio.get_running_loop()
        limits = request.policy.limits
        self.rings = {"stdout": OutputRing(limits.stdout_bytes), "stderr": OutputRing(limits.stderr_bytes)}
        self.is_running = True
        self.reason: EndReason | None = None
        self.exit_code: int | None = None
        self.signal: int | None = None
        self.failure: ResourceUnavailableError | None = None
        self._started = clock()
        self._ended: float | None = None
        self._bursts = {"stdout": 0, "stderr": 0}
        self._changed = asyncio.Event()
        self._is_input_over = False

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return (self._clock() if self._ended is None else self._ended) - self._started

    async def run(self) -> None:
        """Return when it has ended and nothing of it is left but what it wrote; whatever happened is remembered."""
        told: Mapping[str, Any] = {}
        try:
            told = await self._carry_out()
        except ResourceUnavailableError as error:
            self.failure = error
            logger.warning("a process: %s; %s", error, "; ".join(getattr(error, "__notes__", ())))
        finally:
            # Before the control group is gone, which knows whether memory was what ended it.
            self.reason = self._stopped_by if self.failure is not None else self._reason(told)
            self.exit_code, self.signal = told.get("exit"), told.get("signal")
            try:
                if self._worker.group is not None:
                    await self._worker.group.end()
            finally:
                self._ended = self._clock()
                self.is_running = False
                self._tell()

    def stop(self, reason: EndReason) -> None:
        """End it; harmless when it has ended."""
        if self.is_running:
            self._stop(reason)

    def write(self, text: str, *, close: bool) -> int:
        """Give it text to read, and return how many characters were taken: those for which there was room.

        Args:
            text: The text.
            close: Whether nothing more will come; only if all of it was taken.

        Raises:
            LimitExceededError: The text is longer than `MAX_INPUT_BYTES`.
            ResourceUnavailableError: It reads no input any more.
        """
        data = text.encode("utf-8", "replace")
        if len(data) > MAX_INPUT_BYTES:
            raise LimitExceededError(
                "process_input", f"more than {MAX_INPUT_BYTES} bytes at once; nothing was taken, send it in parts"
            )
        if self._worker.stdin < 0 or self._is_input_over:
            raise ResourceUnavailableError("missing", "the input of this process is closed; nothing was taken")
        part = data[: max(0, MAX_INPUT_BYTES - len(self._unsent))]
        # A character that was cut is not taken.
        taken = len(part.decode("utf-8", "ignore"))
        part = text[:taken].encode("utf-8", "replace")
        self._is_input_over = close and len(part) == len(data)
        if part or self._is_input_over:
            self._unsent = memoryview(bytes(self._unsent) + part)
            self._feed()
        return taken

    async def wait_for_text(self, stream: str, offset: int, seconds: float) -> None:
        """Return when there is text from `offset` on, when it has ended, or when the time is over.

        Args:
            stream: `stdout` or `stderr`.
            offset: Where the text would begin.
            seconds: How long to wait.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.is_running and not self.rings[stream].text(offset, 4, is_whole=False)[0]:
                    await self._changed.wait()

    def _was_fed(self) -> None:
        if self._is_input_over:
            self._end_input()

    def _take(self, name: str, piece: bytes) -> None:
        self.rings[name].add(piece)
        self._tell()
        self._bursts[name] += len(piece)
        if self._bursts[name] >= BURST_BYTES:
            self._bursts[name] = 0
            self._pause(name, BURST_SECONDS)

    def _tell(self) -> None:
        """Wake whoever waits."""
        self._changed.set()
        self._changed = asyncio.Event()
