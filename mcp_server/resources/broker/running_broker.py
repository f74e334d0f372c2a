"""The server's end of one broker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from itertools import count
from typing import Any, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.broker.answers import value_of
from mcp_server.resources.broker.frame import Frame
from mcp_server.resources.broker.framed_socket import FramedSocket
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.kernel.pidfd import PidFd

LANES: Final = 8
"""Questions that are answered at once; as many as one client has threads, see `MAX_CALLS_PER_OWNER`."""

OPERATION_SECONDS: Final = 60.0
"""How long one answer may take. A tree is walked three times at most before it is removed, for 20 seconds each."""

START_SECONDS: Final = 60.0
"""How long a broker may take to stand; a tenth of a second, and longer where a quota is counted first."""

REAP_SECONDS: Final = 1.0
"""How long whoever ends a broker may be held up by a process that was killed."""


class RunningBroker:
    """One process, and the lanes on which it answers: one question on each at a time, several at once.

    Started without waiting, by the thread that starts everything; told its folders with the first question. May be
    used by several threads.

    Args:
        launcher: Starts processes.
        command: The program and its arguments, up to the numbers that it is told.
        job: What it is told first, as JSON.
        lanes: How many questions are answered at once.
        operation_seconds: How long one answer may take.
        start_seconds: How long it may take to stand.
        clock: Monotonic seconds.

    Raises:
        ResourceUnavailableError: The launcher is closed.
    """

    def __init__(
        self,
        *,
        launcher: Launcher,
        command: Sequence[str],
        job: Mapping[str, Any],
        lanes: int = LANES,
        operation_seconds: float = OPERATION_SECONDS,
        start_seconds: float = START_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._job = job
        self._operation_seconds = operation_seconds
        self._start_seconds = start_seconds
        self._lock = threading.Lock()
        self._standing = threading.Lock()
        self._stands = False
        self._is_closing = False
        self._is_broken = False
        self._has_ended = False
        self._numbers = count(1)
        self._launched = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._pidfd: PidFd | None = None
        pairs = [socket.socketpair() for _ in range(lanes)]
        self._lanes = [FramedSocket(ours, clock=clock) for ours, _ in pairs]
        self._idle = list(self._lanes)
        self._free = threading.Semaphore(lanes)
        theirs = [each for _, each in pairs]

        def started(future: Future[subprocess.Popen[bytes]]) -> None:
            # Nobody else knows the process yet, so nobody has waited for it and let its number go.
            try:
                if not future.cancelled() and future.exception() is None:
                    self._process = future.result()
                    self._pidfd = PidFd.open(self._process.pid)
            finally:
                for each in theirs:
                    each.close()
                self._launched.set()

        numbers = [each.fileno() for each in theirs]
        try:
            self._started = launcher.start([*command, str(os.getpid()), *map(str, numbers)], descriptors=numbers)
        except ResourceUnavailableError:
            for pair in pairs:
                for each in pair:
                    each.close()
            raise
        self._started.add_done_callback(started)

    @property
    def pid(self) -> int | None:
        """The number of its process, None before it has been started and after its end."""
        return None if self._process is None or self._has_ended else self._process.pid

    @property
    def has_stood(self) -> bool:
        """Whether it has ever answered."""
        return self._stands

    @property
    def lingers(self) -> bool:
        """Whether it was killed and is still there: it waits for a disk or a file server that does not answer."""
        return self._has_ended and self._process is not None and self._process.returncode is None

    def stand(self) -> None:
        """Return when it answers; may be called again.

        Raises:
            EOFError: It has gone.
            OSError: It does not answer in time, or could not be started.
            ValueError: What it says is no answer.
            ResourceUnavailableError: It says why it cannot.
        """
        if self.has_stood:
            return
        with self._standing:
            if self._stands:
                return
            if not self._launched.wait(self._start_seconds) or self._process is None:
                raise EOFError("the process could not be started")
            first = self._take(0)
            try:
                first.limit(self._start_seconds)
                first.send({"id": 0, "do": "stand"}, body=json.dumps(self._job).encode("ascii"))
                frame = first.receive()
                try:
                    if value_of(frame, number=0) is not True:
                        raise ValueError("it stands, or it does not")
                finally:
                    frame.close()
                for lane in self._lanes:
                    lane.limit(self._operation_seconds)
                self._stands = True
            finally:
                self._put_back(first)

    def ask(self, head: Mapping[str, Any], *, body: bytes = b"", descriptor: int = -1) -> tuple[Frame, int]:
        """Ask one question, and return the answer, at which nobody has looked yet, and the number that it must tell.

        Args:
            head: What is asked, without its number.
            body: Bytes.
            descriptor: What is handed over, below zero for nothing.

        Raises:
            ConnectionError: It had gone before it was asked.
            EOFError: It has gone, and nobody knows whether it did what was asked.
            TimeoutError: It does not answer in time.
            ValueError: What it says is no frame.
            ResourceUnavailableError: All lanes are taken, for longer than an answer may take.
        """
        if not self._free.acquire(timeout=self._operation_seconds):
            raise ResourceUnavailableError("busy", "too much is being done with the files of this client; try again")
        try:
            lane = self._take(-1)
            number = next(self._numbers)
            try:
                lane.send({"id": number, **head}, body=body, descriptor=descriptor)
                return lane.receive(), number
            except BaseException:
                # What may come now is an answer to nothing; who asked ends the process.
                self._is_broken = True
                raise
            finally:
                self._put_back(lane)
        finally:
            self._free.release()

    def close(self) -> None:
        """Ask nothing more, and end it when the last question is answered; waits for no answer. May be called twice."""
        with self._lock:
            self._is_closing = True
            is_idle = len(self._idle) == len(self._lanes)
        if is_idle:
            self.end()

    def end(self) -> bool:
        """End it now, whatever it does, and leave nothing of it; return whether this is news. May be called twice."""
        with self._lock:
            self._is_closing = True
            if self._has_ended:
                return False
            self._has_ended = True
            idle, self._idle = self._idle, []
        for lane in self._lanes:
            # Whoever waits on one wakes up, and closes it.
            lane.shut()
        for lane in idle:
            lane.close()
        self._started.cancel()
        self._launched.wait(self._start_seconds)
        process, pidfd = self._process, self._pidfd
        if process is None or pidfd is None:
            return True
        # It may have ended by itself.
        with contextlib.suppress(ProcessLookupError):
            pidfd.send_signal(signal.SIGKILL)
        try:
            process.wait(REAP_SECONDS)
        except subprocess.TimeoutExpired:
            # What waits for a disk or a file server ends later than it is killed; somebody has to wait for it.
            threading.Thread(target=process.wait, name="mcp-server-broker-end", daemon=True).start()
        pidfd.close()
        return True

    def _take(self, at: int) -> FramedSocket:
        with self._lock:
            if self._is_closing or self._is_broken:
                raise ConnectionAbortedError("the broker is being ended")
            return self._idle.pop(at)

    def _put_back(self, lane: FramedSocket) -> None:
        with self._lock:
            if self._has_ended:
                lane.close()
                return
            self._idle.append(lane)
            is_last = self._is_closing and len(self._idle) == len(self._lanes)
        if is_last:
            self.end()
