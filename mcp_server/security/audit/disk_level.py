"""How full the disk below the log is."""

from __future__ import annotations

from enum import StrEnum


class DiskLevel(StrEnum):
    """The rungs of the ladder: enough room, little room, too little to begin anything new.

    >>> DiskLevel.REFUSE.value
    'refuse'
    """

    NORMAL = "normal"
    WARN = "warn"
    REFUSE = "refuse"
