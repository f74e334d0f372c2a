"""One message of a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """Who says what: a text or one content value.

    Args:
        content: A text, a content value, or a block in the protocol's spelling.
        role: `user` or `assistant`.

    >>> PromptMessage("Write a haiku.").role
    'user'
    """

    content: Any
    role: Literal["user", "assistant"] = "user"
