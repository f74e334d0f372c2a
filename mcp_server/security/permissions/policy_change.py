"""One difference between two policies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What a new policy gives beyond an old one, or takes away.

    Args:
        widens: Whether somebody may do more, or it is not sure that nobody may.
        where: The rule, table or key: of the new policy when it widens, of the old one when it narrows.
        text: What stands there.
        reason: What that does.
        line: Its line, None when it has none.

    >>> PolicyChange(True, "ada.allow[0]", "FILE_READ **", "no rule granted all of it").widens
    True
    """

    widens: bool
    where: str
    text: str
    reason: str
    line: int | None = None
