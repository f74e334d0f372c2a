"""How well what runs is contained."""

from __future__ import annotations

from enum import IntEnum


class IsolationTier(IntEnum):
    """What holds, from nothing to everything; found out by attacking it, not by looking whether a program is installed.

    >>> IsolationTier.of("ns") > IsolationTier.LSM
    True
    >>> IsolationTier.FULL.label
    'full'
    """

    NONE = 0
    """Timeouts and caps of output; nothing contains the code."""
    LSM = 1
    """Landlock, system call filter and resource limits, in the host's own namespaces."""
    NS = 2
    """And namespaces of its own: other files, processes and networks do not exist in there."""
    FULL = 3
    """And a control group of its own: memory and processes are bounded together."""

    @property
    def label(self) -> str:
        """The name under which results, records and settings know it."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> IsolationTier:
        """Return the tier of that label.

        Raises:
            ValueError: There is none.
        """
        for tier in cls:
            if tier.label == label:
                return tier
        raise ValueError(f"there is no isolation tier {label!r}; there are {', '.join(tier.label for tier in cls)}")
