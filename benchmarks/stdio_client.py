"""A client over two pipes that costs next to nothing."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.process_meter import ProcessMeter
from benchmarks.request_builder import INITIALIZED, RequestBuilder
from benchmarks.subject import Subject

ANSWER_SECONDS = 120.0
READ_BYTES = 1 << 20
SMALL_READ_BYTES = 1 << 16


class StdioClient:
    """Start a server, shake hands, and send it requests that were written beforehand.

    Args:
        subject: The server.
        revision: The protocol revision to speak.
        data: The folder that `read_file` reads.
        tools: How many tools the server registers.
    """

    def __init__(self, subject: Subject, revision: str, *, data: Path, tools: int = 3) -> None:
        self.requests = RequestBuilder(revision)
        self._name = subject.name
        self._buffer = b""
        self._last_id = 0
        began = time.perf_counter_ns()
        self._process = subprocess.Popen(
            subject.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=subject.environment(data=data, tools=tools),
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._write_fd, self._read_fd = self._process.stdin.fileno(), self._process.stdout.fileno()
        self.meter = ProcessMeter(self._process.pid)
        try:
            self._send(self.requests.first())
            answer = self._receive()
            self.start_ns = time.perf_counter_ns() - began
            self.start_cpu_ns = self.meter.cpu_ns()
            self._check(answer)
            if not self.requests.is_modern:
                self._send(INITIALIZED)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def request(self, method: str, params: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Send one request and return its result.

        Raises:
            RuntimeError: The server refused, or ended.
        """
        self._last_id += 1
        self._send(self.requests.request(self._last_id, method, params))
        return self._check(self._receive())

    def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Call a tool and return the text of its answer."""
        result = self.request("tools/call", {"name": tool, "arguments": dict(arguments)})
        if result.get("isError"):
            raise RuntimeError(f"{self._name}: {tool} failed: {str(result)[:300]}")
        return str(result["content"][0]["text"])

    def one_at_a_time(
        self, tool: str, arguments: Mapping[str, Any], *, seconds: float, warm_seconds: float
    ) -> tuple[float, float, float]:
        """Call a tool again and again; return CPU microseconds a call, the median round trip, and the noise.

        Args:
            tool: The tool.
            arguments: Its arguments.
            seconds: How long.
            warm_seconds: How long to do so beforehand, unmeasured.
        """
        before, behind = self.requests.call(tool, arguments)
        self._until(before, behind, warm_seconds)
        self.meter.start()
        trips = self._until(before, behind, seconds)
        cpu, noise = self.meter.stop()
        trips.sort()
        return cpu / len(trips) / 1000, trips[len(trips) // 2] / 1000, noise

    def in_flight(
        self, tool: str, arguments: Mapping[str, Any], *, width: int, seconds: float, warm_seconds: float
    ) -> tuple[float, float, float]:
        """Keep so many calls in flight; return CPU microseconds a call, calls a second, and the noise."""
        before, behind = self.requests.call(tool, arguments)
        behind += b"\n"
        self._flood(before, behind, width, warm_seconds)
        self.meter.start()
        began = time.perf_counter_ns()
        count = self._flood(before, behind, width, seconds)
        wall = time.perf_counter_ns() - began
        cpu, noise = self.meter.stop()
        return cpu / count / 1000, count * 1e9 / wall, noise

    def list_tools(self) -> tuple[int, int]:
        """Follow `tools/list` to its last page; return how many tools there are, and the nanoseconds spent waiting."""
        cursor: str | None = None
        count = waited = 0
        while True:
            self._last_id += 1
            message = self.requests.request(self._last_id, "tools/list", {"cursor": cursor} if cursor else None)
            began = time.perf_counter_ns()
            self._send(message)
            answer = self._receive()
            waited += time.perf_counter_ns() - began
            result = self._check(answer)
            count += len(result["tools"])
            cursor = result.get("nextCursor")
            if not cursor:
                return count, waited

    def close(self) -> None:
        """Leave; a server that does not end by itself is killed."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _until(self, before: bytes, behind: bytes, seconds: float) -> list[int]:
        trips: list[int] = []
        now = time.perf_counter_ns()
        end = now + int(seconds * 1e9)
        while not trips or now < end:
            self._last_id += 1
            self._send(before + b"%d" % self._last_id + behind)
            answer = self._receive()
            then, now = now, time.perf_counter_ns()
            trips.append(now - then)
            if b'"isError":true' in answer[-200:] or b'"error":' in answer[:60]:
                raise RuntimeError(f"{self._name}: {answer[:300]!r}")
        return trips

    def _flood(self, before: bytes, behind: bytes, width: int, seconds: float) -> int:
        end = time.perf_counter_ns() + int(seconds * 1e9)
        sent = done = 0
        wanted = width
        while True:
            if wanted:
                os.write(self._write_fd, b"".join(before + b"%d" % (10**9 + sent + n) + behind for n in range(wanted)))
                sent += wanted
            data = os.read(self._read_fd, SMALL_READ_BYTES)
            if not data or b'"error":' in data:
                raise RuntimeError(f"{self._name}: {data[:300]!r}")
            answered = data.count(b"\n")
            done += answered
            if done == sent:
                return done
            wanted = answered if time.perf_counter_ns() < end else 0

    def _send(self, message: bytes) -> None:
        view = memoryview(message + b"\n")
        while view:
            view = view[os.write(self._write_fd, view) :]

    def _receive(self) -> bytes:
        """Return the next answer; notifications are passed over."""
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if found:
                self._buffer = rest
                if b'"result"' in line[:400] or b'"error"' in line[:400] or b'"method"' not in line[:400]:
                    return line
                continue
            pieces = [self._buffer]
            while True:
                if not select.select([self._read_fd], [], [], ANSWER_SECONDS)[0]:
                    raise RuntimeError(f"{self._name}: no answer within {ANSWER_SECONDS:g} s")
                piece = os.read(self._read_fd, READ_BYTES)
                if not piece:
                    raise RuntimeError(f"{self._name}: the server has ended")
                pieces.append(piece)
                if b"\n" in piece:
                    break
            self._buffer = b"".join(pieces)

    def _check(self, answer: bytes) -> Mapping[str, Any]:
        message = json.loads(answer)
        if "result" not in message:
            raise RuntimeError(f"{self._name}: {answer[:300]!r}")
        result: Mapping[str, Any] = message["result"]
        return result
