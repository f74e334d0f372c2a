"""A number that changes when something does that answers depend on."""

from __future__ import annotations


class ChangeCounter:
    """Count changes of keys and revocations, so that what was decided before can be told from what holds now.

    >>> counter = ChangeCounter()
    >>> counter.number, counter.advance(), counter.number
    (1, None, 2)
    """

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 1

    def advance(self) -> None:
        """Count a change: whatever was decided before is to be decided anew."""
        self.number += 1
