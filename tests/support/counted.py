"""Text and names that count how often they are looked at: a match may cost no more than the product of both lengths."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self


class CountedText(str):
    """A text that counts how often a character of it is looked at."""

    __slots__ = ("looks",)
    looks: int

    def __new__(cls, text: str) -> Self:
        counted = super().__new__(cls, text)
        counted.looks = 0
        return counted

    def __getitem__(self, key: Any) -> str:
        self.looks += 1
        return super().__getitem__(key)


class CountedNames(tuple[str, ...]):  # noqa: SLOT001 - a tuple can have no slots of its own
    """Names that count how often one of them is looked at."""

    looks: int

    def __new__(cls, names: Iterable[str]) -> Self:
        counted = super().__new__(cls, names)
        counted.looks = 0
        return counted

    def __getitem__(self, key: Any) -> Any:
        self.looks += 1
        return super().__getitem__(key)
