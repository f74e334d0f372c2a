"""One run of the soak: requests go out, answers are judged, and what the process holds is noted."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from tests.soak.call_mix import CallMix
from tests.soak.served_process import ServedProcess

WIDTH = 64
"""Requests open at a time: as many as the server runs at once."""


class SoakRun:
    """Keep so many requests in flight, each answered exactly once.

    Args:
        server: The server, past its handshake.
        mix: Writes the requests and judges the answers.
    """

    def __init__(self, *, server: ServedProcess, mix: CallMix) -> None:
        self._server = server
        self._open: set[int] = set()
        self._nameless = 0
        self._to_cancel: deque[int] = deque()
        self._cancellations: list[bytes] = []
        self.mix = mix
        self.unexpected: list[dict[str, Any]] = []
        self.problems: list[str] = []
        self.looks = 0
        self.resident: list[int] = []
        self.descriptors: list[int] = []
        self.threads: list[int] = []
        self.tasks: list[int] = []
        self.rest = b""
        self.exit_code = -1

    def ask(self, number: int, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send one request while nothing else is under way, and return its result."""
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self._server.write(json.dumps(request).encode() + b"\n")
        (message,) = self._server.read()
        assert message["id"] == number
        result: dict[str, Any] = message["result"]
        return result

    def drive(self, numbers: range) -> None:
        """Send the requests of all these numbers; return when each has been answered or taken back."""
        waiting = deque(numbers)
        while waiting or self._under_way():
            lines, self._cancellations = self._cancellations, []
            while waiting and self._under_way() < WIDTH:
                lines.append(self._next_line(waiting.popleft()))
            self._server.write(b"".join(lines))
            if not waiting and self._to_cancel and not self._open:
                # Nothing is left whose answer would show that these have begun: one more echo does.
                waiting.append(numbers.stop)
                continue
            if self._open or self._nameless:
                for message in self._server.read():
                    self._take(message)
        self._server.write(b"".join(self._cancellations))
        self._cancellations = []

    def look(self) -> None:
        """Note what the process holds; only the question itself is under way."""
        self.looks += 1
        held = self.ask(-self.looks, "tools/call", {"name": "state", "arguments": {}})["structuredContent"]
        self.tasks.append(held["tasks"])
        self.resident.append(self._server.resident_bytes())
        self.descriptors.append(self._server.descriptors())
        self.threads.append(self._server.threads())

    def leave(self) -> None:
        """End the server by closing our end."""
        self.rest, self.exit_code = self._server.leave()

    def _under_way(self) -> int:
        return len(self._open) + self._nameless + len(self._to_cancel)

    def _next_line(self, number: int) -> bytes:
        kind = self.mix.kind_of(number)
        if kind in ("bad_json", "batch"):
            self._nameless += 1
        elif kind == "cancelled":
            self._to_cancel.append(number)
        elif kind != "cancelled_at_once":
            self._open.add(number)
        return self.mix.request(number)

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message:
            self.mix.progress[message["params"]["progressToken"]] += 1
        elif message["id"] is None:
            self._nameless -= 1
            self.mix.nameless[message["error"]["code"]] += 1
        elif message["id"] not in self._open:
            self.unexpected.append(message)
        else:
            number = message["id"]
            self._open.discard(number)
            problem = self.mix.problem(message)
            if problem is not None:
                self.problems.append(problem)
            # Calls begin in the order in which they came: what came before this one is running, and is taken back.
            while self._to_cancel and self._to_cancel[0] < number and self.mix.kind_of(number) == "echo":
                self._cancellations.append(self.mix.cancellation(self._to_cancel.popleft()))
