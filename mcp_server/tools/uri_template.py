"""URI templates, read backwards: from a URI to the values of its variables."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError

# A longer URI names nothing a human or a model would write.
MAX_URI_CHARACTERS: Final = 4_096
_PART: Final = re.compile(r"\{([^{}]*)\}")
_VARIABLE: Final = re.compile(r"\+?[A-Za-z_][A-Za-z0-9_]{0,47}", re.ASCII)


@dataclass(frozen=True, slots=True)
class URITemplate:
    """An RFC 6570 template of level 1, `{name}`, and with at most one reserved expansion, `{+name}`.

    Matching takes one pass and never tries again, whatever the URI. The values are percent-decoded once and are then
    safe to use as names: a `{name}` holds no `/` or `\\`, a `{+name}` no `.` or `..` between slashes, neither is empty
    or holds a control character. A `{+name}` may begin with a slash only where the caller says so.

    Args:
        text: The template.

    Raises:
        ConfigurationError: It has no variable, one twice, two without anything between, or one of another form.

    Source: RFC 6570, sections 1.4 and 3.2.3.

    >>> URITemplate("note://{folder}/{+path}").match("note://a/b/c%20d")
    {'folder': 'a', 'path': 'b/c d'}
    >>> URITemplate("note://{name}").match("note://..%2Fsecret") is None
    True
    """

    text: str
    variables: tuple[str, ...] = field(init=False)
    _literals: tuple[str, ...] = field(init=False, repr=False)
    _reserved: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = _PART.split(self.text)
        literals, expressions = tuple(parts[::2]), parts[1::2]
        names = tuple(expression.removeprefix("+") for expression in expressions)
        reserved = [index for index, expression in enumerate(expressions) if expression.startswith("+")]
        if not names or any("{" in literal or "}" in literal for literal in literals):
            raise ConfigurationError(f"{self.text!r} is no URI template: it needs {{name}} or {{+name}}")
        if not all(_VARIABLE.fullmatch(expression) for expression in expressions):
            raise ConfigurationError(f"{self.text!r}: only {{name}} and {{+name}} are understood")
        if len(set(names)) < len(names) or len(reserved) > 1 or not all(literals[1:-1]):
            raise ConfigurationError(
                f"{self.text!r}: every variable stands once, one at most is {{+name}}, and something stands between two"
            )
        object.__setattr__(self, "variables", names)
        object.__setattr__(self, "_literals", literals)
        object.__setattr__(self, "_reserved", reserved[0] if reserved else -1)

    @property
    def specificity(self) -> tuple[int, int, int]:
        """What to sort by, so that the template that says most comes first."""
        return (-sum(map(len, self._literals)), len(self.variables), int(self._reserved >= 0))

    def match(self, uri: str, *, may_be_absolute: frozenset[str] = frozenset()) -> dict[str, str] | None:
        """Return the values of the variables, None when the URI is none of this template's or is not safe.

        Args:
            uri: The URI.
            may_be_absolute: The reserved variables whose value may begin with a slash, for something else checks it.
        """
        if len(uri) > MAX_URI_CHARACTERS or not uri.startswith(self._literals[0]):
            return None
        raw = self._split(uri[len(self._literals[0]) :])
        if raw is None:
            return None
        values: dict[str, str] = {}
        for index, (name, text) in enumerate(zip(self.variables, raw, strict=True)):
            value = _decoded(text)
            if value is None or not _is_safe(value, index == self._reserved, name in may_be_absolute):
                return None
            values[name] = value
        return values

    def _split(self, rest: str) -> list[str] | None:
        """Cut the rest at the literals: from the left up to the reserved variable, from the right after it."""
        literals, last = self._literals, len(self.variables) - 1
        turning = self._reserved if self._reserved >= 0 else last
        left: list[str] = []
        for literal in literals[1 : turning + 1]:
            value, found, rest = rest.partition(literal)
            if not found:
                return None
            left.append(value)
        right: list[str] = []
        for index in range(last, turning, -1):
            if not rest.endswith(literals[index + 1]) or literals[index] not in rest:
                return None
            rest = rest.removesuffix(literals[index + 1])
            cut = rest.rfind(literals[index]) + len(literals[index])
            right.append(rest[cut:])
            rest = rest[:cut]
        if not rest.endswith(literals[turning + 1]):
            return None
        return [*left, rest.removesuffix(literals[turning + 1]), *reversed(right)]


def _decoded(text: str) -> str | None:
    if "%" not in text:
        return text
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return None
    # Imported here, for a server that never meets an escape starts without it.
    from urllib.parse import unquote_to_bytes

    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeError:
        return None


def _is_safe(value: str, is_reserved: bool, may_be_absolute: bool) -> bool:
    if not value or any(ord(character) < 0x20 or character == "\x7f" for character in value) or "\\" in value:
        return False
    if not is_reserved:
        return "/" not in value and value not in (".", "..")
    if value.startswith("/") and not may_be_absolute:
        return False
    return not any(part in (".", "..") for part in value.split("/"))
