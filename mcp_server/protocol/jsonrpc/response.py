"""The other side's answer."""

from __future__ import annotations

from typing import Any, NamedTuple


class Response(NamedTuple):
    """The answer to a request that this side sent: exactly one of `result` and `error` is set.

    Args:
        id: The request it answers; None only for an error about a message whose id could not be read.
        result: What was returned.
        error: What went wrong: `code`, `message` and perhaps `data`.

    >>> Response(1, {}, None).is_error
    False
    """

    id: str | int | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None

    @property
    def is_error(self) -> bool:
        """Whether the request failed."""
        return self.error is not None
