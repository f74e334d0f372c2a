"""The answer of a verification, in one word."""

from __future__ import annotations

from enum import StrEnum


class VerdictState(StrEnum):
    """Whether a log is as it was written.

    `ALTERED`: something in it is not what was written. `TRUNCATED`: what is there holds, but it does not reach as far
    as it must.

    >>> VerdictState.INTACT.value
    'intact'
    """

    INTACT = "intact"
    ALTERED = "altered"
    TRUNCATED = "truncated"
