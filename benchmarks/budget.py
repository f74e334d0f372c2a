"""What a figure may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """The bound of one figure: against the peer in the same run, in itself, or both.

    The ratio is the one to believe, for both sides ran on the same machine in the same minute. The value was chosen
    on a quiet machine and moves with yours.

    Args:
        case: Whose.
        figure: Which.
        ratio: The most it may be of the peer's figure.
        value: The most it may be, in the figure's unit.
    """

    case: str
    figure: str
    ratio: float | None = None
    value: float | None = None

    def verdicts(self, value: float, ratio: float | None) -> str:
        """Return the bounds, and whether each is kept."""
        parts = []
        if self.ratio is not None:
            kept = "?" if ratio is None else "yes" if ratio <= self.ratio else "NO"
            parts.append(f"{kept}: <= {_fraction(self.ratio)} of the peer")
        if self.value is not None:
            parts.append(f"{'yes' if value <= self.value else 'NO'}: <= {self.value:g} {self.figure.split()[-1]}")
        return "; ".join(parts)


def _fraction(ratio: float) -> str:
    inverse = 1 / ratio
    return f"1/{inverse:.0f}" if abs(inverse - round(inverse)) < 0.01 and inverse > 1.5 else f"{ratio:g}"
