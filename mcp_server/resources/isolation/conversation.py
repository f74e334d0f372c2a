"""A job that is talked with: messages there and back, until it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.resources.isolation.captured_output import CapturedOutput
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.framing import LENGTH_BYTES, framed
from mcp_server.resources.isolation.output_buffer import OutputBuffer
from mcp_server.resources.isolation.sandbox_job import SandboxJob
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker

MAX_MESSAGE_BYTES: Final = 32 << 20
"""The longest message that is taken from it: a file of the largest size that is read at once, in base64, and more."""

MAX_UNREAD_BYTES: Final = 64 << 20
"""What is held for one that does not read: then it is ended, for it asks and wants no answer."""


class Conversation(SandboxJob):
    """Exchange messages with what runs, over its input and its output; what it complains of is kept for the operator.

    Everything that it says is a stranger's: it is bounded, and handed on unread.

    Args:
        worker: The sandbox, whose only job this is.
        request: The job; its `stdin` must be empty.
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
        # It can be spoken to before it runs.
        self._loop = asyncio.get_running_loop()
        self._on_message: Callable[[bytes], None] | None = None
        self._heard = bytearray()
        self._complaints = OutputBuffer(request.policy.limits.stderr_bytes)
        self._is_over = False

    @property
    def complaints(self) -> CapturedOutput:
        """What it wrote to its errors, and to its output."""
        return self._complaints.captured()

    async def run(self, on_message: Callable[[bytes], None]) -> EndReason:
        """Return why it ended, when it has.

        Args:
            on_message: Given each message, in the loop.

        Raises:
            ResourceUnavailableError: A barrier could not be put in place, so nothing was run.
        """
        self._on_message = on_message
        try:
            told = await self._carry_out()
        finally:
            self._is_over = True
        return self._reason(told)

    def send(self, message: bytes) -> None:
        """Say something to it; lost when it has ended."""
        if self._is_over or self._stopped_by is not None or self._worker.stdin < 0:
            return
        if len(self._unsent) + len(message) > MAX_UNREAD_BYTES:
            self._stop(EndReason.OUTPUT)
            return
        self._unsent = memoryview(bytes(self._unsent) + framed(message))
        self._feed()

    def end(self) -> None:
        """End it: what was wanted of it is there."""
        if not self._is_over:
            self._stop(EndReason.CANCELLED)

    def _was_fed(self) -> None:
        """Leave its input open: there may be more to say."""

    def _take(self, name: str, piece: bytes) -> None:
        if name == "stderr":
            self._complaints.add(piece)
            if self._complaints.is_flood:
                self._stop(EndReason.OUTPUT)
            return
        heard = self._heard
        heard += piece
        while len(heard) >= LENGTH_BYTES and self._stopped_by is None:
            length = int.from_bytes(heard[:LENGTH_BYTES], "big")
            if length > MAX_MESSAGE_BYTES:
                self._stop(EndReason.OUTPUT)
                return
            end = LENGTH_BYTES + length
            if len(heard) < end:
                return
            message = bytes(heard[LENGTH_BYTES:end])
            del heard[:end]
            assert self._on_message is not None
            self._on_message(message)
