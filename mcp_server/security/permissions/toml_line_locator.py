"""Where in a TOML text a value stands."""

from __future__ import annotations

from bisect import bisect_right
from contextlib import suppress
from typing import Final

_BLANKS: Final = " \t\r"


class TomlLineLocator:
    """Find the line of a table, a key or an item, for messages.

    The standard library's parser keeps no places. This is no second parser: the text must have been accepted by that
    one, and nothing but the line in a message depends on what is found here.

    Args:
        text: A valid TOML document.

    Source: TOML 1.0.0.

    >>> locator = TomlLineLocator('version = 1\\n[client.ada]\\nallow = [\\n  "FILE_READ **",\\n]\\n')
    >>> locator.line_of("client", "ada", "allow", 0), locator.line_of("client", "ada", "deny")
    (4, 2)
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
        self._places: dict[tuple[str | int, ...], int] = {}
        # Not the TOML it should be, or nested beyond what a policy has: what was found so far must do.
        with suppress(IndexError, RecursionError, ValueError):
            self._document()

    def line_of(self, *path: str | int) -> int | None:
        """Return the line, counted from 1, of what `path` leads to, or of the nearest part that is there.

        Args:
            path: Names of tables and keys, and indexes of items.
        """
        for length in range(len(path), 0, -1):
            place = self._places.get(path[:length])
            if place is not None:
                return bisect_right(self._starts, place)
        return None

    def _document(self) -> None:
        table: tuple[str | int, ...] = ()
        counts: dict[tuple[str | int, ...], int] = {}
        while self._skip(newlines=True):
            start = self._at
            if self._text[start] != "[":
                self._pair(table)
                continue
            is_array = self._text.startswith("[[", start)
            self._at += 2 if is_array else 1
            table = self._key(())
            if is_array:
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            for length in range(1, len(table) + 1):
                self._places.setdefault(table[:length], start)
            self._at += 2 if is_array else 1

    def _pair(self, table: tuple[str | int, ...]) -> None:
        self._skip(newlines=True)
        start = self._at
        path = self._key(table)
        for length in range(len(table) + 1, len(path) + 1):
            self._places.setdefault(path[:length], start)
        self._at += 1
        self._value(path)

    def _key(self, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Read a dotted key up to the sign after it."""
        while True:
            self._skip()
            if self._text[self._at] in "\"'":
                start = self._at
                self._string()
                path = (*path, _unquoted(self._text[start : self._at]))
            else:
                start = self._at
                while self._text[self._at] not in " \t.=]":
                    self._at += 1
                path = (*path, self._text[start : self._at])
            self._skip()
            if self._text[self._at] != ".":
                return path
            self._at += 1

    def _value(self, path: tuple[str | int, ...]) -> None:
        self._skip(newlines=True)
        first = self._text[self._at]
        self._places.setdefault(path, self._at)
        if first in "\"'":
            self._string()
        elif first in "[{":
            self._at += 1
            count = 0
            while self._skip(newlines=True) and self._text[self._at] not in "]}":
                if self._text[self._at] == ",":
                    self._at += 1
                elif first == "[":
                    self._value((*path, count))
                    count += 1
                else:
                    self._pair(path)
            self._at += 1
        else:
            while self._at < len(self._text) and self._text[self._at] not in ",]}\n#":
                self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        delimiter = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(delimiter)
        while not self._text.startswith(delimiter, self._at):
            if self._at >= len(self._text):
                raise IndexError
            # An escape belongs to basic strings only.
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        self._at += len(delimiter)
        if len(delimiter) == 3:
            # Up to two quotes may stand before the closing three.
            while self._text.startswith(quote, self._at):
                self._at += 1

    def _skip(self, *, newlines: bool = False) -> bool:
        """Pass blanks, and newlines and comments where they may stand; return whether anything is left."""
        text = self._text
        while self._at < len(text):
            character = text[self._at]
            if character in _BLANKS or (newlines and character == "\n"):
                self._at += 1
            elif newlines and character == "#":
                end = text.find("\n", self._at)
                self._at = len(text) if end < 0 else end
            else:
                return True
        return False


def _unquoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1]
    import tomllib

    return str(tomllib.loads(f"key = {text}")["key"])
