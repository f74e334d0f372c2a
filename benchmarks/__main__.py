"""`python -m benchmarks`: measure our server and the official package's, interleaved, and print a table."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from benchmarks.call_suite import CallSuite
from benchmarks.list_suite import ListSuite
from benchmarks.report import markdown
from benchmarks.request_builder import MODERN
from benchmarks.results import Results
from benchmarks.sample import Sample
from benchmarks.scale_suite import ScaleSuite
from benchmarks.spinner import Spinner
from benchmarks.start_suite import StartSuite
from benchmarks.subject import Subject
from benchmarks.suite import Suite
from benchmarks.workbench import Workbench

LEGACY = "2025-11-25"
OURS = Subject("ours", "benchmarks.server")
PEER = Subject("mcp", "benchmarks.peer_server")
SUITES: Mapping[str, type[Suite]] = {"start": StartSuite, "calls": CallSuite, "scale": ScaleSuite, "list": ListSuite}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and perhaps write the samples to a file; figures are reported and never asserted."""
    given = _parse(arguments)
    subjects = [OURS]
    if given.alone or importlib.util.find_spec("mcp") is None:
        peer, version = None, ""
    else:
        subjects.append(PEER)
        peer, version = PEER.name, importlib.metadata.version("mcp")
    with tempfile.TemporaryDirectory(prefix="mcp-bench-") as folder:
        bench = Workbench(
            data=Path(folder),
            seconds=given.seconds,
            warm_seconds=given.seconds / 2,
            core=None if given.unpinned else max(os.sched_getaffinity(0)),
        )
        with nullcontext() if given.no_spin else Spinner():
            results = Results(measure(bench, subjects, given.suites, given.revisions, given.rounds))
    print(markdown(results, ours=OURS.name, peer=peer, peer_version=version))
    if given.json is not None:
        given.json.write_text(json.dumps([asdict(each) for each in results.samples], indent=1), encoding="utf-8")
    return 0


def measure(
    bench: Workbench, subjects: Sequence[Subject], suites: Sequence[str], revisions: Sequence[str], rounds: int
) -> Iterator[Sample]:
    """Yield all samples: in every round every suite, in every suite the servers in turns."""
    for subject in subjects:
        with bench.serve(subject, revisions[0]):
            pass  # The first start writes the byte code; it is nobody's cold start.
    for number in range(rounds):
        for name in suites:
            suite = SUITES[name]()
            for revision in revisions if suite.is_repeated else revisions[:1]:
                for subject in subjects:
                    began = time.perf_counter()
                    yield from suite.run(bench, subject, revision)
                    took = time.perf_counter() - began
                    print(
                        f"round {number + 1}/{rounds}: {name} {revision} {subject.name} {took:.1f} s", file=sys.stderr
                    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured; medians are shown")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long one figure is measured")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample to a file")
    parser.add_argument("--suites", nargs="+", choices=SUITES, default=list(SUITES), help="what to measure")
    parser.add_argument("--revisions", nargs="+", default=[LEGACY, MODERN], help="which revisions to speak")
    parser.add_argument("--alone", action="store_true", help="measure our server only")
    parser.add_argument("--unpinned", action="store_true", help="let client and server run on different cores")
    parser.add_argument("--no-spin", action="store_true", help="let the cores fall asleep between messages")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
