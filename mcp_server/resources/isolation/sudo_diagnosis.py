"""What was found of a machine's way to root."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SudoDiagnosis:
    """What must be mended, and what the operator should know.

    Args:
        problems: What makes the actions fail, or lets more be done as root than the policy says.
        warnings: What this program cannot judge, and what would be better.

    >>> SudoDiagnosis(warnings=("sudo is old",)).holds
    True
    """

    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether nothing must be mended."""
        return not self.problems
