"""How far the log had come when it was last known to be on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from pydantic_core import from_json

from mcp_server.security.audit.canonical_json import canonical_json
from mcp_server.security.audit.hash_chain import GENESIS


@dataclass(frozen=True, slots=True)
class LogHead:
    """The content of the file `head`: the last record that was synced, so that a shorter log is noticed.

    Args:
        seq: The record's number; -1 for a log without records.
        segment: The number of the segment it stands in.
        size: Where its line ends in that segment, in bytes, newline included.
        leaf: Its leaf hash, hexadecimal.

    >>> LogHead.decode(LogHead(seq=3, segment=0, size=1200, leaf="ab" * 32).encode()).size
    1200
    """

    seq: int = -1
    segment: int = 0
    size: int = 0
    leaf: str = GENESIS.decode()

    def encode(self) -> bytes:
        """Return the file's content: one line of canonical JSON."""
        return canonical_json({"leaf": self.leaf, "segment": self.segment, "seq": self.seq, "size": self.size}) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the file's content.

        Raises:
            ValueError: It is not what `encode` writes.
        """
        value: Any = from_json(data)
        if not isinstance(value, dict) or set(value) != {"leaf", "segment", "seq", "size"}:
            raise ValueError("not a head file")
        head = cls(seq=value["seq"], segment=value["segment"], size=value["size"], leaf=value["leaf"])
        numbers = (head.seq, head.segment, head.size)
        if any(type(number) is not int for number in numbers) or not isinstance(head.leaf, str):
            raise ValueError("not a head file")
        if head.encode() != data or head.seq < -1 or head.segment < 0 or head.size < 0:
            raise ValueError("not a head file")
        return head
