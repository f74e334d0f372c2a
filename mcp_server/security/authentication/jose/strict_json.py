"""JSON objects that no two readers understand differently."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

MAX_DEPTH: Final = 16
"""Levels of a header or a set of claims; what identity providers write has four at most."""

_MAX_INTEGER_DIGITS: Final = 16
"""2^53 has sixteen digits; whatever is longer is no number of these objects, and slow to read."""

# Brackets inside texts do not nest anything, so texts are passed over whole.
_STRUCTURE: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]', re.DOTALL)


def read_object(data: bytes, *, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """Return the JSON object that `data` writes.

    The size of `data` is the caller's to bound.

    Args:
        data: UTF-8.
        max_depth: How many levels are read.

    Raises:
        ValueError: It is no JSON object, or one that two readers could understand differently: with a byte order mark,
            a member written twice, a number that is none, a surrogate by itself, or too deep.

    Source: RFC 7515, section 4 (duplicate names); RFC 8259, sections 4, 7 and 8.1; RFC 7493, section 2.

    >>> read_object(b'{"sub": "ada"}')
    {'sub': 'ada'}
    >>> read_object(b'{"sub": "ada", "s\\\\u0075b": "root"}')
    Traceback (most recent call last):
    ValueError: a member is written twice
    """
    _check_depth(data, max_depth)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        # Not chained: the error holds the bytes, which may be part of a secret.
        raise ValueError("not UTF-8") from None
    if text.startswith("\ufeff"):
        raise ValueError("begins with a byte order mark")
    try:
        value = json.loads(
            text, object_pairs_hook=_members, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_fraction
        )
    except json.JSONDecodeError:
        # Not chained, for the same reason.
        raise ValueError("not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _check_depth(data: bytes, max_depth: int) -> None:
    """Refuse what is nested too deeply before anything descends into it."""
    depth = 0
    for token in _STRUCTURE.finditer(data):
        first = data[token.start()]
        if first in b"[{":
            depth += 1
            if depth > max_depth:
                raise ValueError(f"nested deeper than {max_depth} levels")
        elif first in b"]}":
            depth -= 1


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is written twice")
    for name, value in pairs:
        _check_text(name)
        _check_texts(value)
    return members


def _check_texts(value: Any) -> None:
    # The objects within were checked when they were read.
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        for each in value:
            _check_texts(each)


def _check_text(text: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("a surrogate stands by itself")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_INTEGER_DIGITS:
        raise ValueError("a number has too many digits")
    return int(text)


def _fraction(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number
