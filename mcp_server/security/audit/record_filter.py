"""Which records somebody wants to see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Conditions that must all hold; one left out always holds.

    Args:
        kind: The record's kind, or its first part (`call` for every `call.*`).
        client: The client's name.
        tool: The tool's name.
        call: The call's id.
        decision: `allow`, `ask` or `deny`.
        since_seq: The first number wanted.

    >>> RecordFilter(kind="call").matches({"kind": "call.done"}), RecordFilter(tool="a").matches({"tool": "b"})
    (True, False)
    """

    kind: str | None = None
    client: str | None = None
    tool: str | None = None
    call: str | None = None
    decision: str | None = None
    since_seq: int = 0

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether a record is wanted."""
        kind = record.get("kind")
        if self.kind is not None and kind != self.kind and not str(kind).startswith(self.kind + "."):
            return False
        if self.since_seq:
            seq = record.get("seq")
            if type(seq) is not int or seq < self.since_seq:
                return False
        for name, wanted in (("client", self.client), ("tool", self.tool), ("call", self.call)):
            if wanted is not None and record.get(name) != wanted:
                return False
        return self.decision is None or record.get("decision") == self.decision
