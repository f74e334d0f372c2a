"""Samples, gathered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from statistics import median

from benchmarks.sample import Sample

# Of several samples the noisiest are left out: what others did meanwhile is not the server's doing.
_KEPT = 0.6


class Results:
    """All samples of a run, and the medians over its rounds.

    Args:
        samples: In the order of their measurement.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        self.samples = tuple(samples)

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield revision, case and figure of every row, in the order of their first appearance."""
        seen = dict.fromkeys((each.revision, each.case, each.figure) for each in self.samples)
        yield from sorted(seen, key=lambda row: row[0])

    def median(self, row: tuple[str, str, str], subject: str) -> float | None:
        """Return a server's median in a row, None where it has no sample."""
        found = [
            each for each in self.samples if (each.revision, each.case, each.figure) == row and each.subject == subject
        ]
        if not found:
            return None
        found.sort(key=lambda each: each.noise)
        return median(each.value for each in found[: max(1, round(len(found) * _KEPT))])

    def noise(self) -> float:
        """Return how many cores others used during calls, at the median."""
        return median([each.noise for each in self.samples if each.figure == "CPU us"] or [0.0])
