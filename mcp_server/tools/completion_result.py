"""What completing an argument gives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

# Source: MCP 2026-07-28, server/utilities/completion: at most 100 values a response.
MAX_VALUES: Final = 100


@dataclass(frozen=True, slots=True)
class CompletionResult:
    """The first values that would complete an argument.

    Args:
        values: At most a hundred texts.
        total: How many there are in all, None when nobody counted.
        has_more: Whether there are more than these.

    >>> CompletionResult.of(["a", "b"]).total
    2
    """

    values: tuple[str, ...] = ()
    total: int | None = None
    has_more: bool = False

    @classmethod
    def of(cls, value: CompletionResult | Iterable[str] | None) -> CompletionResult | Self:
        """Return what a handler returned as a result, cut to what one answer may hold."""
        if isinstance(value, CompletionResult):
            if len(value.values) <= MAX_VALUES:
                return value
            return cls(tuple(value.values[:MAX_VALUES]), value.total, True)
        texts = () if value is None else tuple(str(text) for text in value)
        return cls(texts[:MAX_VALUES], len(texts), len(texts) > MAX_VALUES)
