"""An audit record, as a test looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditView:
    """One record of the audit log.

    Args:
        fields: The record as it was written.

    >>> AuditView({"kind": "call.denied", "decision": "deny", "tool": "rm"}).decision
    'deny'
    """

    fields: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """The record's kind, such as `call.done`."""
        return str(self.fields["kind"])

    @property
    def decision(self) -> str:
        """`deny` for a refused call, else `allow`."""
        return str(self.fields.get("decision", "allow"))

    @property
    def tool(self) -> str | None:
        """The tool, prompt or resource the record is about."""
        return self.fields.get("tool")
