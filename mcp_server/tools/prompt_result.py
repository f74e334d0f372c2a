"""What getting a prompt gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class PromptResult:
    """The messages of a prompt, in the shape of the newest revision.

    Args:
        description: What the prompt is for.
        messages: The messages, each with `role` and one content block.

    >>> PromptResult("A haiku", ()).messages
    ()
    """

    description: str | None
    messages: tuple[dict[str, Any], ...]
