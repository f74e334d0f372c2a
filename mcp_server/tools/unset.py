"""The mark of a value that was never given."""

from __future__ import annotations

from enum import Enum
from typing import Final, Literal


class Unset(Enum):
    """Tells "nothing was given" from None, which is JSON's null and a value of its own.

    >>> UNSET is Unset.UNSET, bool(UNSET)
    (True, False)
    """

    UNSET = "unset"

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
