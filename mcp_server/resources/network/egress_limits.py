"""The bounds of a sandbox's way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES
SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class EgressLimits:
    """What one sandbox may have of the network.

    Args:
        max_header_bytes: All lines of a request before its body; programs send a few hundred bytes.
        header_seconds: How long those lines may take to come.
        max_tunnels: Connections at once; package managers open about ten.
        idle_seconds: How long a tunnel may be silent in both directions.
        max_bytes: Bytes in both directions, of all tunnels together.

    >>> EgressLimits().max_tunnels
    16
    """

    max_header_bytes: int = 16 * KIBIBYTES
    header_seconds: float = 10 * SECONDS
    max_tunnels: int = 16
    idle_seconds: float = 60 * SECONDS
    max_bytes: int = 256 * MEBIBYTES
