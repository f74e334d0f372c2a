"""Whether a call gets dearer when many tools are registered."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.call_suite import SMALL_TEXT
from benchmarks.sample import Sample
from benchmarks.subject import Subject
from benchmarks.workbench import Workbench

FEW, MANY = 3, 1_000
TURNS = 3


class ScaleSuite:
    """The same call at two servers of one kind in turns, one of which has many more tools."""

    is_repeated = True

    def run(self, bench: Workbench, subject: Subject, revision: str) -> Iterator[Sample]:
        """Yield how many times dearer the call is among many tools."""
        costs: dict[int, list[float]] = {FEW: [], MANY: []}
        with (
            bench.serve(subject, revision, tools=FEW, is_pinned=True) as few,
            bench.serve(subject, revision, tools=MANY, is_pinned=True) as many,
        ):
            for _ in range(TURNS):
                for tools, client in ((FEW, few), (MANY, many)):
                    cpu, _, _ = client.one_at_a_time(
                        "echo",
                        {"text": SMALL_TEXT},
                        seconds=bench.seconds / TURNS,
                        warm_seconds=bench.warm_seconds / TURNS,
                    )
                    costs[tools].append(cpu)
        median = {tools: sorted(values)[TURNS // 2] for tools, values in costs.items()}
        case = f"a call with {MANY:,} tools against {FEW}"
        yield Sample(case, "times", subject.name, median[MANY] / median[FEW], revision)
