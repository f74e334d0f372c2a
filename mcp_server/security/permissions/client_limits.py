"""How much one client may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_KIBIBYTES: Final = 1024
_MEBIBYTES: Final = 1024 * _KIBIBYTES
_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """The bounds of one client; the policy file sets them under `limits`.

    Args:
        calls_per_minute: Calls that may begin within a minute: far above what a model does, far below a loop.
        identical_calls: How often the same call with the same arguments may begin within a minute: twice a second is no
            waiting for something, it is a loop.
        concurrent_calls: Calls that may run at once; as many as one connection keeps in flight.
        timeout_seconds: Longest run of one call in seconds, where its tool says nothing.
        max_result_bytes: Largest result of a tool, by the characters of its texts and data; a larger one is refused.
            No model reads so much; what is larger is read in parts.
        workspace_bytes: Most bytes that files may take in each of its folders, what is there already included; None for
            no quota, for a folder of one's own may hold anything to begin with, and counting it takes time.
        workspace_files: Most files and directories there, None for no quota.

    >>> ClientLimits(calls_per_minute=60).concurrent_calls
    64
    """

    calls_per_minute: int = 600
    identical_calls: int = 120
    concurrent_calls: int = 64
    timeout_seconds: float = 30 * _SECONDS
    max_result_bytes: int = 8 * _MEBIBYTES
    workspace_bytes: int | None = None
    workspace_files: int | None = None


# The largest values a policy may set. Not a recommendation: past these a limit limits nothing, or a number is a slip.
LIMIT_CEILINGS: Final[dict[str, int]] = {
    "calls_per_minute": 1_000_000,
    "identical_calls": 1_000_000,
    "concurrent_calls": 10_000,
    "timeout_seconds": 24 * 60 * 60,
    "max_result_bytes": 1024 * _MEBIBYTES,
    "workspace_bytes": 1024 * 1024 * _MEBIBYTES,
    "workspace_files": 100_000_000,
}
