"""What travels between the server and a broker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Frame:
    """A head of plain values, bytes, and open descriptors, which belong to whoever received it.

    Args:
        head: JSON members.
        body: Bytes that are no JSON: what is to be written.
        descriptors: What was handed over.

    >>> Frame({"do": "sweep"}).body
    b''
    """

    head: Mapping[str, Any]
    body: bytes = b""
    descriptors: tuple[int, ...] = ()

    def close(self) -> None:
        """Close what was handed over; once."""
        for descriptor in self.descriptors:
            os.close(descriptor)
