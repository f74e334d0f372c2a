"""What all suites share: the files to read, the length of a measurement, the processor to stay on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.stdio_client import StdioClient
from benchmarks.subject import Subject

KIBIBYTE = 1 << 10
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Workbench:
    """The conditions of a run, the same for every server.

    Args:
        data: A folder of our own, which the servers may read.
        seconds: How long one figure is measured.
        warm_seconds: How long the same is done beforehand, unmeasured.
        core: The one processor for client and server during calls, None to leave it to the kernel. A wake-up on
            another core costs 10 to 15 microseconds, at random, and as much for a fast server as for a slow one.
    """

    data: Path
    seconds: float
    warm_seconds: float
    core: int | None

    def file(self, size: int) -> str:
        """Return the path of a text file of that size, made at its first use."""
        path = self.data / f"{size}.txt"
        if not path.exists():
            line = "The quick brown fox jumps over the lazy dog; nobody minds.\n"
            path.write_text((line * (size // len(line) + 1))[:size], encoding="utf-8")
        return str(path)

    @contextmanager
    def serve(
        self, subject: Subject, revision: str, *, tools: int = 3, is_pinned: bool = False
    ) -> Iterator[StdioClient]:
        """Start a server and stop it afterwards.

        Args:
            subject: The server.
            revision: The revision to speak with it.
            tools: How many tools it registers.
            is_pinned: Whether client and server stay on one core.
        """
        allowed = os.sched_getaffinity(0)
        if is_pinned and self.core is not None:
            os.sched_setaffinity(0, {self.core})
        try:
            with StdioClient(subject, revision, data=self.data, tools=tools) as client:
                yield client
        finally:
            os.sched_setaffinity(0, allowed)
