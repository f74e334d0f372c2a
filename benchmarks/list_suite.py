"""What a long list of tools costs."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.sample import Sample
from benchmarks.subject import Subject
from benchmarks.workbench import MEBIBYTE, Workbench

SIZES = (10, 1_000, 10_000)
REPEATS = 5


class ListSuite:
    """Start with so many tools, and list them all, following the pages."""

    is_repeated = False

    def run(self, bench: Workbench, subject: Subject, revision: str) -> Iterator[Sample]:
        """Yield start, memory, first list and later lists for each size."""
        for size in SIZES:
            with bench.serve(subject, revision, tools=size) as client:
                case = f"tools/list of {size:,}"
                yield Sample(case, "start s", subject.name, client.start_ns / 1e9, revision)
                waits = []
                for _ in range(REPEATS):
                    count, waited = client.list_tools()
                    if count != size:
                        raise RuntimeError(f"{subject.name} lists {count} tools of {size}")
                    waits.append(waited)
                yield Sample(case, "first ms", subject.name, waits[0] / 1e6, revision)
                yield Sample(case, "again ms", subject.name, sorted(waits[1:])[len(waits[1:]) // 2] / 1e6, revision)
                yield Sample(case, "RSS MiB", subject.name, client.meter.rss_bytes() / MEBIBYTE, revision)
