"""One measured figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """What one server needed in one round.

    Args:
        case: What was done, such as `echo, one at a time`.
        figure: What was measured, with its unit, such as `CPU us`.
        subject: Which server.
        value: The measured value.
        revision: The protocol revision that was spoken.
        noise: Processor cores that anybody else used meanwhile; 0 on a quiet machine.
    """

    case: str
    figure: str
    subject: str
    value: float
    revision: str
    noise: float = 0.0
