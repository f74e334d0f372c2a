"""How much one run may use."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

KIBIBYTES: Final = 1 << 10
MEBIBYTES: Final = 1 << 20

SANDBOX_CEILINGS: Final = {
    "wall_seconds": 3600,
    "cpu_seconds": 3600,
    "memory_bytes": 64 << 30,
    "processes": 4096,
    "open_files": 65536,
    "file_bytes": 64 << 30,
    "tmp_bytes": 16 << 30,
    "stdout_bytes": 64 << 20,
    "stderr_bytes": 64 << 20,
    "stdin_bytes": 64 << 20,
}
"""The most that a policy can say: beyond it a number is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """The bounds of one sandboxed run.

    Args:
        wall_seconds: How long it may take.
        cpu_seconds: Processor time of each of its processes.
        memory_bytes: Memory: of all together where there is a control group, else of each process.
        processes: Processes and threads at once.
        open_files: Descriptors of each process.
        file_bytes: The largest file it may write.
        tmp_bytes: Room in `/tmp` and `/dev/shm`, each.
        stdout_bytes: How much of its output is kept; the middle is left out beyond.
        stderr_bytes: The same for its errors.
        stdin_bytes: How much it may be given to read.

    >>> ResourceLimits().narrow(ResourceLimits(wall_seconds=5)).wall_seconds
    5
    """

    wall_seconds: float = 30.0
    cpu_seconds: int = 20
    memory_bytes: int = 512 * MEBIBYTES
    processes: int = 64
    open_files: int = 256
    file_bytes: int = 64 * MEBIBYTES
    tmp_bytes: int = 64 * MEBIBYTES
    stdout_bytes: int = 1 * MEBIBYTES
    stderr_bytes: int = 256 * KIBIBYTES
    stdin_bytes: int = 4 * MEBIBYTES

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"{field.name} must be positive")

    def narrow(self, other: ResourceLimits) -> ResourceLimits:
        """Return the smaller of each two limits."""
        mine, theirs = asdict(self), asdict(other)
        return ResourceLimits(**{name: min(value, theirs[name]) for name, value in mine.items()})

    def to_json(self) -> dict[str, Any]:
        """Return the limits as JSON members, in their order."""
        return asdict(self)
