"""Which arguments a program may be given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

_SLOT: Final = re.compile(r"\{(?P<name>[a-z][a-z0-9_]*):(?P<type>[A-Za-z0-9_.,:+@/=|-]+?)(?P<many>\.\.\.)?\}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,127}", re.ASCII)
_INTEGER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9_.,:+@/=-]{1,256}", re.ASCII)
_REVISION: Final = re.compile(r"[A-Za-z0-9_.,:+@/=^~{}-]{1,256}", re.ASCII)

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
    | `one\|two\|three` | one of these words |
    | `int` | a whole number |
    | `name` | letters, digits and `_.@+-`, as in the name of a unit, a user or a package |
    | `word` | letters, digits and `_.,:+@/=-` |
    | `revision` | what `word` takes and `^~{}`, as in `HEAD~2` |
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

    __slots__ = ("_names", "_parts", "_rest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._rest: str | None = None
        self._parts: list[tuple[str | None, str]] = []
        # Of each slot in its order; a rest is the last.
        self._names: list[str] = []
        for word in shlex.split(text):
            if self._rest is not None:
                raise ValueError(f"a slot for any number of arguments must be the last: {text!r}")
            slot = _SLOT.fullmatch(word)
            if slot is None:
                if "{" in word or "}" in word:
                    raise ValueError(f"{word!r} is no slot; write {{name:type}} with type {', '.join(_CHECKS)}")
                self._parts.append((word, ""))
            elif not _is_known(slot["type"]):
                raise ValueError(f"unknown type {slot['type']!r} in {word!r}; known are {', '.join(_CHECKS)}")
            else:
                self._names.append(slot["name"])
                if slot["many"]:
                    self._rest = slot["type"]
                else:
                    self._parts.append((None, slot["type"]))

    @property
    def slots(self) -> Sequence[tuple[str, str]]:
        """The name and the type of each slot, in their order; a type that ends in `...` takes any number.

        >>> ArgumentForm("restart {unit:nginx|redis} {times:int...}").slots
        (('unit', 'nginx|redis'), ('times', 'int...'))
        """
        kinds = [kind for word, kind in self._parts if word is None]
        if self._rest is not None:
            kinds.append(f"{self._rest}...")
        return tuple(zip(self._names, kinds, strict=True))

    def fill(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """Return the arguments that have these values in the slots.

        Args:
            values: A text, or a whole number, for each slot by its name; a list for one that takes any number.

        Raises:
            ValueError: A slot has no value, or one of another type, or there is no such slot; it names the slot alone.

        >>> ArgumentForm("restart {unit:nginx|redis} --lines {count:int}").fill({"unit": "redis", "count": 5})
        ('restart', 'redis', '--lines', '5')
        """
        known = dict(self.slots)
        for name in values:
            if name not in known:
                raise ValueError(f"there is no slot {name!r}; there {_listed(known)}")
        for name, kind in known.items():
            value = values.get(name)
            several = value if isinstance(value, list) and kind.endswith("...") else [value]
            if not all(_is_value(each) and _fits(kind.removesuffix("..."), str(each)) for each in several):
                raise ValueError(f"the slot {name!r} must be {kind.replace('|', ' or ')}")
        arguments: list[str] = []
        names = iter(self._names)
        for word, _ in self._parts:
            arguments.append(str(values[next(names)]) if word is None else word)
        if self._rest is not None:
            rest = values[next(names)]
            arguments += [str(each) for each in (rest if isinstance(rest, list) else [rest])]
        return tuple(arguments)

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
    if "|" in kind:
        return argument in kind.split("|")
    is_long = len(argument) > MAX_ARGUMENT_CHARACTERS
    return not is_long and not argument.startswith("-") and "\0" not in argument and _CHECKS[kind](argument)


def _is_known(kind: str) -> bool:
    """Whether there is such a type: a word of ours, or words to choose from, of which none is an option."""
    return kind in _CHECKS or (
        "|" in kind and all(_WORD.fullmatch(each) and each[0] != "-" for each in kind.split("|"))
    )


def _is_value(value: object) -> bool:
    # A bool is an int in Python, and no number here.
    return isinstance(value, (str, int)) and not isinstance(value, bool)


def _listed(slots: Mapping[str, str]) -> str:
    return "is none" if not slots else "are " + ", ".join(f"{name} ({kind})" for name, kind in slots.items())


def _is_path(argument: str) -> bool:
    parts = argument.split("/")
    is_within = not argument.startswith(("/", "~")) and ".." not in parts and argument != ""
    # A colon makes a pathspec of git's magic, and a remote of many another program.
    return is_within and not argument.startswith(":") and _is_text(argument) and "\n" not in argument


def _is_text(argument: str) -> bool:
    return all(character in "\t\n" or character.isprintable() or character == " " for character in argument)


_CHECKS: Final = {
    "int": lambda argument: _INTEGER.fullmatch(argument) is not None,
    "name": lambda argument: _NAME.fullmatch(argument) is not None,
    "revision": lambda argument: _REVISION.fullmatch(argument) is not None,
    "word": lambda argument: _WORD.fullmatch(argument) is not None,
    "path": _is_path,
    "text": _is_text,
}
