"""How long, and how often, a grant holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A file of one byte a use; whoever means more means a rate, and `calls_per_minute` bounds one.
MAX_USES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class GrantLimits:
    """The limits of one grant; it holds from `not_before` on, before `expires`, and `max_uses` times.

    Args:
        key: Under which its uses are counted: the same for the same grant, wherever in the file it stands.
        not_before: The first second in which it holds, in seconds since the epoch; None for always.
        expires: The first second in which it holds no more; None for never.
        max_uses: How often it may be used; None for any number of times.

    >>> limits = GrantLimits("k", not_before=100.0, expires=200.0)
    >>> limits.holds_at(99.9), limits.holds_at(100.0), limits.holds_at(200.0)
    (False, True, False)
    """

    key: str
    not_before: float | None = None
    expires: float | None = None
    max_uses: int | None = None

    @property
    def edges(self) -> tuple[float, ...]:
        """The times at which it begins or ceases to hold."""
        return tuple(each for each in (self.not_before, self.expires) if each is not None)

    def holds_at(self, now: float | None) -> bool:
        """Whether it holds at a time, its uses aside; at no known time, only what knows no time does."""
        if now is None:
            return not self.edges
        return (self.not_before is None or self.not_before <= now) and (self.expires is None or now < self.expires)

    def reason_at(self, now: float | None) -> str:
        """Return in words why it does not hold at a time, or that it is used up."""
        if now is None and self.edges:
            return "it holds for a time, and nobody says what time it is"
        if now is not None and self.not_before is not None and now < self.not_before:
            return f"it holds from {shown_time(self.not_before)} on"
        if now is not None and self.expires is not None and now >= self.expires:
            return f"it expired at {shown_time(self.expires)}"
        return f"its uses ({self.max_uses}) are used up"


def shown_time(seconds: float) -> str:
    """Return a time as a policy file writes it, in UTC.

    >>> shown_time(0.0)
    '1970-01-01T00:00:00Z'
    """
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
