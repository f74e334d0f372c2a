"""Which arguments a program may be given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final

_SLOT: Final = re.compile(r"\{(?P<name>[a-z][a-z0-9_]*):(?P<type>[a-z]+)(?P<many>\.\.\.)?\}", re.ASCII)
_INTEGER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9_.,:+@/=-]{1,256}", re.ASCII)

MAX_ARGUMENTS: Final = 1_000
"""Arguments of one call."""

MAX_ARGUMENT_CHARACTERS: Final = 8_192
"""Characters of one argument."""


class ArgumentForm:
    r"""One form of a program's arguments, written as the arguments themselves with slots in place of what may vary.

    A word stands for itself. `{name:type}` stands for one argument of that type, `{name:type...}`, at the end, for any
    number of them. No slot takes what begins with `-`: that would be an option, and options are written out.

    | type | takes |
    | --- | --- |
    | `int` | a whole number |
    | `word` | letters, digits and `_.,:+@/=-` |
    | `path` | a path below the workspace, without `..` |
    | `text` | any text without control characters but tab and newline |

    Args:
        text: The form, words apart by spaces, quoted as a shell quotes.

    Raises:
        ValueError: It is none.

    >>> form = ArgumentForm("log --oneline -n {count:int}")
    >>> form.matches(["log", "--oneline", "-n", "5"]), form.matches(["log", "--oneline", "-n", "--output=x"])
    (True, False)
    """

    __slots__ = ("_parts", "_rest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._rest: str | None = None
        self._parts: list[tuple[str | None, str]] = []
        for word in shlex.split(text):
            if self._rest is not None:
                raise ValueError(f"a slot for any number of arguments must be the last: {text!r}")
            slot = _SLOT.fullmatch(word)
            if slot is None:
                if "{" in word or "}" in word:
                    raise ValueError(f"{word!r} is no slot; write {{name:type}} with type int, word, path or text")
                self._parts.append((word, ""))
            elif slot["type"] not in _CHECKS:
                raise ValueError(f"unknown type {slot['type']!r} in {word!r}; known are {', '.join(_CHECKS)}")
            elif slot["many"]:
                self._rest = slot["type"]
            else:
                self._parts.append((None, slot["type"]))

    def matches(self, arguments: Sequence[str]) -> bool:
        """Whether these arguments are of this form."""
        if len(arguments) > MAX_ARGUMENTS or (len(arguments) != len(self._parts) and self._rest is None):
            return False
        if len(arguments) < len(self._parts):
            return False
        fixed, rest = arguments[: len(self._parts)], arguments[len(self._parts) :]
        for argument, (word, kind) in zip(fixed, self._parts, strict=True):
            if argument != word if word is not None else not _fits(kind, argument):
                return False
        return self._rest is None or all(_fits(self._rest, argument) for argument in rest)


def _fits(kind: str, argument: str) -> bool:
    """Whether an argument may stand in a slot of that type."""
    is_long = len(argument) > MAX_ARGUMENT_CHARACTERS
    return not is_long and not argument.startswith("-") and "\0" not in argument and _CHECKS[kind](argument)


def _is_path(argument: str) -> bool:
    parts = argument.split("/")
    is_within = not argument.startswith(("/", "~")) and ".." not in parts and argument != ""
    # A colon makes a pathspec of git's magic, and a remote of many another program.
    return is_within and not argument.startswith(":") and _is_text(argument) and "\n" not in argument


def _is_text(argument: str) -> bool:
    return all(character in "\t\n" or character.isprintable() or character == " " for character in argument)


_CHECKS: Final = {
    "int": lambda argument: _INTEGER.fullmatch(argument) is not None,
    "word": lambda argument: _WORD.fullmatch(argument) is not None,
    "path": _is_path,
    "text": _is_text,
}
