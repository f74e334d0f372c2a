"""What a human answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of `ClientContext.ask`.

    Args:
        action: `accept`, `decline` or `cancel`.
        content: The form's values when accepted, checked against the form; empty otherwise.

    >>> Answer("accept", {"name": "Ada"}).accepted
    True
    """

    action: str
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether the human filled the form in."""
        return self.action == "accept"

    def __getitem__(self, name: str) -> Any:
        return self.content[name]
