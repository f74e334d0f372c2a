"""One argument of a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PromptArgument:
    """A text that a prompt takes.

    Args:
        name: Its name.
        description: What it is.
        is_required: Whether a call must give it.
        title: Its name for humans.

    >>> PromptArgument("topic", is_required=True).to_wire()
    {'name': 'topic', 'required': True}
    """

    name: str
    description: str | None = None
    is_required: bool = False
    title: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the argument as the newest revision lists it."""
        wire: dict[str, Any] = {"name": self.name}
        if self.title is not None:
            wire["title"] = self.title
        if self.description is not None:
            wire["description"] = self.description
        if self.is_required:
            wire["required"] = True
        return wire
