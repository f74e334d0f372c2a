"""How sure a record is before the call it belongs to goes on."""

from __future__ import annotations

from enum import StrEnum


class Durability(StrEnum):
    """What has happened to a record when `AuditLogger.append` (or `durable`) returns.

    `PROCESS`: the kernel has it, so it survives the death of this process; the disk has it at most 50 ms later.
    `DISK`: after `await durable(seq)` the disk has it, so it survives a power cut.

    >>> Durability("disk") is Durability.DISK
    True
    """

    PROCESS = "process"
    DISK = "disk"
