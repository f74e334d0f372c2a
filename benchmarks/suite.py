"""What the parts of a run have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from benchmarks.sample import Sample
from benchmarks.subject import Subject
from benchmarks.workbench import Workbench


class Suite(Protocol):
    """Measures one side of a server, once a round."""

    is_repeated: bool
    """Whether every revision is measured, and not the first one only."""

    def run(self, bench: Workbench, subject: Subject, revision: str) -> Iterator[Sample]:
        """Yield the figures of one server."""
        ...
