"""The served process, seen from outside, and the two pipes to it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ANSWER_SECONDS = 20.0
"""After so long without any answer the server counts as stuck."""


class ServedProcess:
    """Start the server, write lines to it, read lines from it, and look into /proc.

    Args:
        checkout: The checkout, to import from.
        folder: What it serves.
        state: Where its audit goes.
    """

    def __init__(self, *, checkout: Path, folder: Path, state: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(checkout / "tests/soak/soak_server.py"), str(folder), str(state)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # A failing tool is logged with its traceback, thousands of times.
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": str(checkout)},
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()

    def write(self, data: bytes) -> None:
        """Write lines; so few that they fit into the pipe, for nobody reads meanwhile."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._stdin.fileno(), view) :]

    def read(self) -> list[dict[str, Any]]:
        """Return the messages that have come, at least one."""
        pieces = [self._rest]
        while True:
            assert select.select([self._stdout], [], [], ANSWER_SECONDS)[0], "the server does not answer any more"
            data = os.read(self._stdout.fileno(), 1 << 16)
            assert data, "the server has ended"
            pieces.append(data)
            if b"\n" in data:
                break
        *lines, self._rest = b"".join(pieces).split(b"\n")
        return [json.loads(line) for line in lines]

    def leave(self) -> tuple[bytes, int]:
        """Close our end; return what was still written, and the exit code."""
        self._stdin.close()
        rest = self._rest + self._stdout.read()
        return rest, self._process.wait(ANSWER_SECONDS)

    def descriptors(self) -> int:
        """Return how many file descriptors are open."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def threads(self) -> int:
        """Return how many threads there are."""
        return int(self._status("Threads"))

    def resident_bytes(self) -> int:
        """Return the resident memory, in bytes."""
        return int(self._status("VmRSS").split()[0]) * 1024

    def _status(self, name: str) -> str:
        text = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(f"{name}:"))
