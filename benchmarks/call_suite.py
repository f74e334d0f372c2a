"""What a call costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.sample import Sample
from benchmarks.subject import Subject
from benchmarks.workbench import KIBIBYTE, MEBIBYTE, Workbench

WIDTH = 64
SMALL_TEXT = "hello world, this is a message"


class CallSuite:
    """Calls one at a time and many in flight, small and large; every server is first asked whether it answers right."""

    is_repeated = True

    def run(self, bench: Workbench, subject: Subject, revision: str) -> Iterator[Sample]:
        """Yield processor time and round trip of each kind of call."""
        small, large = {"text": SMALL_TEXT}, {"text": "x" * MEBIBYTE}
        sequential: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("echo, one at a time", "echo", small),
            ("add, one at a time", "add", {"a": 20, "b": 22}),
            ("read_file of 1 KiB", "read_file", {"path": bench.file(KIBIBYTE)}),
            ("echo of 1 MiB", "echo", large),
            ("read_file of 1 MiB", "read_file", {"path": bench.file(MEBIBYTE)}),
        )
        with bench.serve(subject, revision, is_pinned=True) as client:
            for case, tool, arguments in sequential:
                answer = client.call(tool, arguments)
                _check(tool, arguments, answer)
                cpu, trip, noise = client.one_at_a_time(
                    tool, arguments, seconds=bench.seconds, warm_seconds=bench.warm_seconds
                )
                yield Sample(case, "CPU us", subject.name, cpu, revision, noise)
                yield Sample(case, "p50 us", subject.name, trip, revision, noise)
            cpu, rate, noise = client.in_flight(
                "echo", small, width=WIDTH, seconds=bench.seconds, warm_seconds=bench.warm_seconds
            )
            yield Sample(f"echo, {WIDTH} in flight", "CPU us", subject.name, cpu, revision, noise)
            yield Sample(f"echo, {WIDTH} in flight", "calls/s", subject.name, rate, revision, noise)


def _check(tool: str, arguments: dict[str, Any], answer: str) -> None:
    """See that the server does the work before its speed is admired."""
    if tool == "echo" and answer != arguments["text"]:
        raise RuntimeError("echo returned another text")
    if tool == "add" and str(arguments["a"] + arguments["b"]) not in answer:
        raise RuntimeError(f"add returned {answer!r}")
    if tool == "read_file":
        with open(arguments["path"], encoding="utf-8") as file:
            if file.read() != answer:
                raise RuntimeError("read_file returned another text")
