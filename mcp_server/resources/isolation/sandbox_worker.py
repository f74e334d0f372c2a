"""One sandbox that stands and waits for its only job."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.control_group import ControlGroup
from mcp_server.resources.isolation.runner import READY
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.kernel.pidfd import PidFd

START_SECONDS: Final = 10.0
"""How long a sandbox may take to stand; it takes some hundredths of a second."""

END_SECONDS: Final = 5.0
"""How long the kernel may take to end what was killed."""

REAP_SECONDS: Final = 1.0
"""How long the loop may be held up by a process that was killed, and has nothing left to do but to end."""

_OWN_PROCESSES: Final = 3
"""What made the sandbox, its first process, and the runner."""

_MAX_REPORT_BYTES: Final = 1 << 16


class SandboxWorker:
    """The host's end of a sandbox: its process, its streams, and the socket to its runner.

    Args:
        process: The program that made the sandbox.
        control: The socket to the runner.
        stdin: The writing end of what it reads.
        stdout: The reading end of what it writes.
        stderr: The reading end of what it complains of.
        status: Where the sandbox told its first process.
        view: Where things are for whoever is inside.
        connections: The socket over which its relay hands over connections; None where nothing may be reached.
    """

    def __init__(
        self,
        *,
        process: subprocess.Popen[bytes],
        control: socket.socket,
        stdin: int,
        stdout: int,
        stderr: int,
        status: int,
        view: SandboxView,
        connections: socket.socket | None = None,
    ) -> None:
        self.view = view
        self.connections = connections
        self.process = process
        self.control = control
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self._status = status
        self.group: ControlGroup | None = None
        self._pidfd: PidFd | None = PidFd.open(process.pid)
        self._first: PidFd | None = None
        self._first_pid: int | None = None
        self._told = b""
        for descriptor in (stdin, stdout, stderr, status):
            os.set_blocking(descriptor, False)
        control.setblocking(False)

    async def ready(self) -> None:
        """Return when the runner waits for its job.

        Raises:
            ResourceUnavailableError: The sandbox cannot be made here, or not in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(START_SECONDS):
                word = await loop.sock_recv(self.control, len(READY))
        except (TimeoutError, OSError):
            word = b""
        if word != READY:
            complaint = b""
            with contextlib.suppress(OSError):
                complaint = os.read(self.stderr, 500)
            # The words of the program are for the operator; they may name what lies on the host.
            error = ResourceUnavailableError(
                "missing", "the sandbox could not be made; ask the operator to run the doctor"
            )
            error.add_note(complaint.decode("utf-8", "replace").strip())
            raise error
        self._look_for_first()

    async def submit(self, job: Mapping[str, Any]) -> None:
        """Hand the job over."""
        data = json.dumps(job).encode()
        await asyncio.get_running_loop().sock_sendall(self.control, len(data).to_bytes(8, "big") + data)

    async def report(self) -> Mapping[str, Any]:
        """Return what the runner tells of the end; empty when it was ended before it could tell."""
        loop = asyncio.get_running_loop()
        data = b""
        told: dict[str, Any] = {}
        # A line that is no report ends the reading: nothing that is told after it can be relied upon.
        with contextlib.suppress(OSError, ValueError, TypeError):
            # Its last line says how the job ended; the end of the stream comes later, with the sandbox's.
            while len(data) < _MAX_REPORT_BYTES and "exit" not in told and "signal" not in told:
                part = await loop.sock_recv(self.control, 4096)
                if not part:
                    break
                data += part
                for line in data.splitlines(keepends=True):
                    if line.endswith(b"\n"):
                        told |= json.loads(line)
        return told

    @property
    def processes(self) -> list[int]:
        """The processes of a sandbox whose runner waits: what made it, its first process, and the runner."""
        first = self._first_pid
        found = [self.process.pid]
        if first is not None:
            found.append(first)
            with contextlib.suppress(OSError), open(f"/proc/{first}/task/{first}/children", "rb") as children:
                found += [int(each) for each in children.read().split()]
        return found

    @property
    def runner(self) -> int:
        """The process that waits for the job, from which all that the job starts descends.

        Raises:
            ProcessLookupError: It is not there, or not yet.
        """
        found = self.processes
        if len(found) != _OWN_PROCESSES:
            raise ProcessLookupError("the runner of a sandbox is gone")
        return found[-1]

    @property
    def has_ended(self) -> bool:
        """Whether the sandbox has ended, by whatever cause."""
        return self._pidfd is None or self._pidfd.has_ended()

    def kill(self) -> None:
        """End everything inside: with the first process of a sandbox the kernel ends all others.

        What made the sandbox then ends by itself. It is not killed: half-way, it would leave behind a first process
        that waits for it for ever. So while nobody knows the first process, `ended` does what is left to do here.
        """
        if self._first is not None:
            with contextlib.suppress(ProcessLookupError):
                self._first.send_signal(signal.SIGKILL)

    async def ended(self) -> None:
        """Return when the kernel has ended what was killed, and nothing of it is left; close what is open.

        Raises:
            ResourceUnavailableError: Something of it is still there.
        """
        pidfd, self._pidfd = self._pidfd, None
        if pidfd is None:
            return
        try:
            async with asyncio.timeout(END_SECONDS):
                if self._first is None:
                    while self._look_for_first():
                        await _readable(self._status)
                    self.kill()
                await _readable(pidfd.fileno())
                if self._first is not None:
                    # What made the sandbox may leave before the last of those inside.
                    await _readable(self._first.fileno())
        except TimeoutError as error:
            raise ResourceUnavailableError("io", "a sandbox could not be ended; ask the operator") from error
        finally:
            # Whoever is cancelled or has waited in vain leaves no child that nobody waits for.
            with contextlib.suppress(ProcessLookupError):
                pidfd.send_signal(signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(REAP_SECONDS)
            pidfd.close()
            # From here on there is nothing to kill, and its number may be another's.
            first, self._first = self._first, None
            if first is not None:
                # Without its parent it is a child of the first process out here, which may be this one.
                with contextlib.suppress(ChildProcessError):
                    os.waitid(os.P_PIDFD, first.fileno(), os.WEXITED | os.WNOHANG)  # noqa: ASYNC222 - waits for nothing
                first.close()

    async def end(self) -> None:
        """Kill, wait, close, and remove its control group."""
        self.kill()
        try:
            await self.ended()
        finally:
            self.close()
            if self.group is not None:
                await self.group.end()

    def close(self) -> None:
        """Close every descriptor; harmless when done already."""
        self.control.close()
        if self.connections is not None:
            self.connections.close()
        for name in ("stdin", "stdout", "stderr", "_status"):
            descriptor = getattr(self, name)
            if descriptor >= 0:
                os.close(descriptor)
                setattr(self, name, -1)

    def _look_for_first(self) -> bool:
        """Take hold of the first process inside, if it was told already; return whether it may still be told."""
        try:
            piece = os.read(self._status, 4096)
        except BlockingIOError:
            return True
        self._told += piece
        line, end, _ = self._told.partition(b"\n")
        if not end:
            # A sandbox that cannot be made ends the stream without a line, or within one.
            return bool(piece)
        with contextlib.suppress(ValueError, KeyError, TypeError):
            self._first_pid = int(json.loads(line)["child-pid"])
            # It may be gone already.
            with contextlib.suppress(OSError):
                self._first = PidFd.open(self._first_pid)
        return False


async def _readable(descriptor: int) -> None:
    """Return when there is something to read, or the end."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(descriptor, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(descriptor)
