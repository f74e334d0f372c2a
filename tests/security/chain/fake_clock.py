"""Time that passes when a test says so."""

from __future__ import annotations


class FakeClock:
    """Seconds that stand still until they are moved."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
