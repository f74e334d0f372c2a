"""What a transport may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES


@dataclass(frozen=True, slots=True)
class TransportConfig:
    """Bounds of the transport tier.

    Args:
        max_message_bytes: Longest line accepted, in bytes.
        max_unsent_bytes: Answers kept for a client that does not read, in bytes; past it nothing more is read from it.
        grace_seconds: How long running calls may go on once the server is told to stop, in seconds.

    >>> TransportConfig().max_message_bytes
    4194304
    """

    max_message_bytes: int = 4 * MEBIBYTES
    max_unsent_bytes: int = 8 * MEBIBYTES
    grace_seconds: float = 5.0
