"""How long a client waits for its server, and what the server then holds."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.sample import Sample
from benchmarks.subject import Subject
from benchmarks.workbench import MEBIBYTE, Workbench

STARTS = 3


class StartSuite:
    """Spawn, first answer, list of tools; a few times, for nothing varies more."""

    is_repeated = False

    def run(self, bench: Workbench, subject: Subject, revision: str) -> Iterator[Sample]:
        """Yield wall and processor time of a cold start, and the resident memory."""
        for _ in range(STARTS):
            with bench.serve(subject, revision) as client:
                yield Sample("start to first answer", "CPU ms", subject.name, client.start_cpu_ns / 1e6, revision)
                yield Sample("start to first answer", "wall ms", subject.name, client.start_ns / 1e6, revision)
                memory = client.meter.rss_bytes() / MEBIBYTE
                yield Sample("memory after start", "RSS MiB", subject.name, memory, revision)
                client.list_tools()
                listed = client.meter.cpu_ns() / 1e6
                yield Sample("start to list of tools", "CPU ms", subject.name, listed, revision)
