"""A refusal, as a test looks at it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Denial:
    """What a refused call said.

    Args:
        code: The stable code, such as 4030.
        message: The text the model reads.
        missing: Pairs of permission type and resource.

    >>> Denial(4030, "no", (("FILE_READ", "a.key"),)).permission
    'FILE_READ'
    """

    code: int
    message: str
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def permission(self) -> str | None:
        """The first missing permission's type, None when none was named."""
        return self.missing[0][0] if self.missing else None
