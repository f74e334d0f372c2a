"""One run of a program as root, through sudo."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from mcp_server.resources.isolation.control_group import ControlGroup
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.output_buffer import OutputBuffer
from mcp_server.resources.isolation.root_action_result import RootActionResult
from mcp_server.resources.kernel.pidfd import PidFd

STDOUT_BYTES: Final = 1 << 18
STDERR_BYTES: Final = 1 << 16
"""How much of its output is kept; the middle is left out beyond."""

TERM_SECONDS: Final = 2.0
"""How long a program may take to end when it is asked to."""

ALARM_SECONDS: Final = 5.0
"""How long sudo may take to end it: sudo waits two seconds between asking and killing."""

DRAIN_SECONDS: Final = 1.0
"""How long the streams of what has ended may take to end as well: who is left may hold them open."""

_PIECE_BYTES: Final = 1 << 16


class RootProcess:
    """Take what it writes, ask it to end when it passes a bound, and say how it went and what is left.

    What runs as root is not ours to kill. What can be done was found out by trying it, with sudo 1.9.13:

    1. sudo itself keeps our real user id, so it takes our signals. It passes `SIGTERM` on to the program.
    2. `SIGALRM` is what sudo uses for its own time limit: it sends the program `SIGHUP`, `SIGTERM` and, two seconds
       later, `SIGKILL`. This ends a program that ignores 1.
    3. Children of the program are reached by neither. A control group of version 2 that is ours ends them all.
    4. `SIGKILL` would end sudo and leave the program alone without anybody who could end it, so it is never sent.

    Without 3, children of a program that was ended may go on; they are counted, as far as they stayed in its session.

    Args:
        process: sudo, just started, the leader of a session of its own, with pipes for both outputs.
        group: The control group that it is in, None where there is none.
        clock: Monotonic seconds.

    Source: sudo(8), "Signal handling"; sudoers(5), "TIMEOUT"; kill(2); cgroup-v2.rst, "cgroup.kill".
    """

    def __init__(
        self,
        *,
        process: subprocess.Popen[bytes],
        group: ControlGroup | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process = process
        self._group = group
        self._clock = clock
        self._buffers = {"stdout": OutputBuffer(STDOUT_BYTES), "stderr": OutputBuffer(STDERR_BYTES)}
        self._open: dict[str, IO[bytes]] = {}
        self._limit: asyncio.Timeout | None = None
        self._stopped_by: EndReason | None = None

    async def run(self, seconds: float) -> RootActionResult:
        """Return what became of it; whoever is cancelled here asks it to end first.

        Args:
            seconds: How long it may take.
        """
        started = self._clock()
        with PidFd.open(self._process.pid) as handle:
            self._watch()
            try:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds) as self._limit:
                        await _readable(handle)
                if not handle.has_ended() and self._stopped_by is None:
                    self._stopped_by = EndReason.TIMEOUT
            finally:
                self._limit = None
                try:
                    await self._end(handle)
                finally:
                    self._unwatch()
                    # Whoever is cancelled does not come back for its exit code.
                    self._process.poll()
            has_ended = handle.has_ended()
        # Without a control group its children are not ours to end, but ours to tell of.
        left = await asyncio.to_thread(_members_of, self._process.pid)
        code = self._process.wait() if has_ended else None
        is_signal = code is not None and code < 0
        captured = {name: buffer.captured() for name, buffer in self._buffers.items()}
        return RootActionResult(
            reason=self._stopped_by or (EndReason.SIGNAL if is_signal else EndReason.EXIT),
            exit_code=None if is_signal else code,
            signal=-code if code is not None and is_signal else None,
            stdout=captured["stdout"],
            stderr=captured["stderr"],
            wall_seconds=self._clock() - started,
            has_ended=has_ended,
            left_running=left,
        )

    async def _end(self, handle: PidFd) -> None:
        """End what has not ended, by all that there is, in the order of the class's list."""
        if not handle.has_ended():
            await self._signal(handle, signal.SIGTERM, TERM_SECONDS)
        if self._group is not None:
            await self._group.end()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await _readable(handle)
        if not handle.has_ended():
            await self._signal(handle, signal.SIGALRM, ALARM_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._open:
                    await self._stream_ended.wait()
                    self._stream_ended.clear()

    @staticmethod
    async def _signal(handle: PidFd, number: int, seconds: float) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError, TimeoutError):
            handle.send_signal(number)
            async with asyncio.timeout(seconds):
                await _readable(handle)

    # Streams

    def _watch(self) -> None:
        self._stream_ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name, stream in (("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._open[name] = stream
            loop.add_reader(stream.fileno(), self._read, name)

    def _unwatch(self) -> None:
        for name in list(self._open):
            self._close(name)

    def _close(self, name: str) -> None:
        stream = self._open.pop(name)
        asyncio.get_running_loop().remove_reader(stream.fileno())
        stream.close()
        self._stream_ended.set()

    def _read(self, name: str) -> None:
        try:
            piece = os.read(self._open[name].fileno(), _PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self._close(name)
            return
        buffer = self._buffers[name]
        buffer.add(piece)
        if buffer.is_flood and self._stopped_by is None:
            self._stopped_by = EndReason.OUTPUT
            if self._limit is not None and not self._limit.expired():
                self._limit.reschedule(asyncio.get_running_loop().time())


async def _readable(handle: PidFd) -> None:
    """Return when the process has ended."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(handle.fileno(), event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(handle.fileno())


def _members_of(session: int) -> int:
    """Return how many processes of a session are there, its leader and the dead left out."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != session:
            with contextlib.suppress(OSError, ValueError, IndexError):
                # Its name may hold anything, and ends with the last parenthesis.
                state, _, _, member_of = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[:4]
                count += int(member_of) == session and state not in ("Z", "X")
    return count
