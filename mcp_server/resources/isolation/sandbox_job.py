"""One job in one sandbox: feeding it, watching it, ending it, and judging its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.relayed_connections import RelayedConnections
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker

PIECE_BYTES: Final = 1 << 16
"""One read of a stream."""

DRAIN_SECONDS: Final = 1.0
"""How long the streams of a sandbox that has ended may take to end as well."""


class SandboxJob(ABC):
    """What a run and a session have in common: they differ in what they keep of the output, and in who feeds them.

    Whatever way it ends, everything inside is killed, and the streams are read to their end or closed. asyncio's own
    processes are not used: their `wait` does not return when an output that nobody reads any more is full (gh-119710).

    Args:
        worker: The sandbox, whose only job this is.
        request: The job.
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
        self._worker = worker
        self._request = request
        self._job = job
        self._wall_seconds = wall_seconds
        self._clock = clock
        self._limit: asyncio.Timeout | None = None
        self._open_streams: dict[str, int] = {}
        self._paused: dict[str, asyncio.TimerHandle] = {}
        self._unsent = memoryview(request.stdin)
        self._stopped_by: EndReason | None = None

    @abstractmethod
    def _take(self, name: str, piece: bytes) -> None:
        """Take a piece of what it writes; `name` is `stdout` or `stderr`."""

    def _was_fed(self) -> None:
        """Do what is to be done when it has read all that there was for it."""
        self._end_input()

    def _stop(self, reason: EndReason) -> None:
        """End it; the first reason counts."""
        if self._stopped_by is None:
            self._stopped_by = reason
        self._worker.kill()
        # What was killed tells nothing more, and what cannot be killed yet is not waited for here.
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    async def _carry_out(self) -> Mapping[str, Any]:
        """Return what the runner tells of the end, when all of it is over; empty when it could not tell.

        Raises:
            ResourceUnavailableError: A barrier could not be put in place, so nothing was run.
        """
        self._loop = asyncio.get_running_loop()
        self._drained = self._loop.create_future()
        told: Mapping[str, Any] = {}
        connections: RelayedConnections | None = None
        try:
            self._watch()
            connections = self._connections()
            # What cancels the call ends here as well: a run does not outlive whoever asked for it.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wall_seconds) as self._limit:
                    if self._stopped_by is None:
                        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                            await self._worker.submit(self._job)
                        told = await self._worker.report()
            if not told and self._stopped_by is None and self._limit is not None and self._limit.expired():
                self._stopped_by = EndReason.TIMEOUT
        finally:
            self._limit = None
            self._worker.kill()
            if connections is not None:
                connections.end()
            try:
                await self._worker.ended()
                if self._open_streams:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(DRAIN_SECONDS):
                            await self._drained
            finally:
                self._unwatch()
                self._worker.close()
                if connections is not None:
                    await connections.ended()
        if "failed" in told:
            error = ResourceUnavailableError(
                "missing", "a barrier of the sandbox could not be put in place, so nothing was run; ask the operator"
            )
            error.add_note(str(told["failed"]))
            raise error
        return told

    def _reason(self, told: Mapping[str, Any]) -> EndReason:
        """Judge what ended it."""
        exit_code, number, cpu_seconds = told.get("exit"), told.get("signal"), told.get("cpu")
        if self._stopped_by is not None:
            return self._stopped_by
        if self._worker.group is not None and self._worker.group.oom_kills and exit_code != 0:
            return EndReason.MEMORY
        if exit_code is not None:
            return EndReason.EXIT
        if number is None or number == signal.SIGSYS:
            # No end was told: whatever ran has ended its own sandbox.
            return EndReason.POLICY
        limit = self._request.policy.limits.cpu_seconds
        if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu_seconds is not None and cpu_seconds >= limit):
            return EndReason.CPU
        return EndReason.SIGNAL

    def _connections(self) -> RelayedConnections | None:
        """Return what its relay hands over, being taken; None where it may reach nothing."""
        network, open_proxy, channel = self._request.policy.network, self._request.open_proxy, self._worker.connections
        if not network or open_proxy is None or channel is None:
            return None
        connections = RelayedConnections(channel=channel, serve=open_proxy(network).serve)
        connections.begin()
        return connections

    # Streams

    def _watch(self) -> None:
        worker = self._worker
        self._open_streams = {"stdout": worker.stdout, "stderr": worker.stderr}
        for name, descriptor in self._open_streams.items():
            self._loop.add_reader(descriptor, self._read, name, descriptor)
        self._feed()

    def _unwatch(self) -> None:
        for timer in self._paused.values():
            timer.cancel()
        self._paused.clear()
        for descriptor in self._open_streams.values():
            self._loop.remove_reader(descriptor)
        self._open_streams.clear()
        self._end_input()

    def _pause(self, name: str, seconds: float) -> None:
        """Read nothing from a stream for a while, which makes who writes it wait."""
        descriptor = self._open_streams.get(name)
        if descriptor is not None and name not in self._paused:
            self._loop.remove_reader(descriptor)
            self._paused[name] = self._loop.call_later(seconds, self._resume, name, descriptor)

    def _resume(self, name: str, descriptor: int) -> None:
        del self._paused[name]
        self._loop.add_reader(descriptor, self._read, name, descriptor)

    def _read(self, name: str, descriptor: int) -> None:
        try:
            piece = os.read(descriptor, PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._loop.remove_reader(descriptor)
            self._open_streams.pop(name, None)
            if not self._open_streams and not self._drained.done():
                self._drained.set_result(None)
            return
        self._take(name, piece)

    def _feed(self) -> None:
        """Write what is there for it as soon as it reads."""
        if self._unsent:
            self._loop.add_writer(self._worker.stdin, self._write)
        else:
            self._was_fed()

    def _write(self) -> None:
        try:
            count = os.write(self._worker.stdin, self._unsent[:PIECE_BYTES])
        except BlockingIOError:
            return
        except OSError:
            # It does not want to read it; that is its own affair.
            self._end_input()
            return
        self._unsent = self._unsent[count:]
        if not self._unsent:
            self._loop.remove_writer(self._worker.stdin)
            self._was_fed()

    def _end_input(self) -> None:
        worker = self._worker
        self._unsent = memoryview(b"")
        if worker.stdin >= 0:
            self._loop.remove_writer(worker.stdin)
            os.close(worker.stdin)
            worker.stdin = -1
