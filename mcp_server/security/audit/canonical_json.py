"""Canonical JSON: one value, one byte string (RFC 8785).

There are two ways to the same bytes. `canonical_json` is complete and slow. `pydantic_core.to_json` is fast and equal
to it exactly where `is_plain` says so; the property tests hold the two against each other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any, Final

# RFC 8785, section 3.2.2.3 with RFC 7493, section 2.2: beyond this a double no longer holds every integer, and two
# readers may disagree about the number. We refuse instead of rounding.
MAX_SAFE_INTEGER: Final = 2**53 - 1

# Far above anything the log writes; keeps a hostile value from exhausting the stack.
MAX_DEPTH: Final = 64

_ES6_LARGEST_PLAIN_EXPONENT: Final = 21
_ES6_SMALLEST_PLAIN_EXPONENT: Final = -6


_LONGEST_SAFE_INTEGER: Final = len(str(-MAX_SAFE_INTEGER))
_TEXT_ONLY: Final = frozenset({str})


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        ValueError: The value has no such form: NaN, an infinity, an integer beyond 2^53-1, a lone surrogate, a member
            name that is not text, a type JSON does not have, or more than 64 levels.

    >>> canonical_json({"b": [1.0, 1e21, True], "a": "\\u20ac"}).decode()
    '{"a":"€","b":[1,1e+21,true]}'
    """
    pieces: list[str] = []
    _append(value, pieces.append, MAX_DEPTH)
    try:
        return "".join(pieces).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError("text holds a lone surrogate, which has no canonical form") from error


def parse_json(data: bytes) -> Any:
    """Read JSON as RFC 8785 does: an integer that a double may not hold exactly is the nearest double.

    Raises:
        ValueError: It is not JSON, or nested too deeply to be read.

    >>> parse_json(b"[9007199254740993, 1]")
    [9007199254740992.0, 1]
    """
    try:
        return json.loads(data, parse_int=_integer_or_double)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _integer_or_double(text: str) -> int | float:
    # A longer text is never safe, and Python takes quadratic time over thousands of digits.
    if len(text) <= _LONGEST_SAFE_INTEGER and -MAX_SAFE_INTEGER <= int(text) <= MAX_SAFE_INTEGER:
        return int(text)
    return float(text)


def format_number(number: float) -> str:
    """Write a double as ECMAScript's `Number.prototype.toString` does.

    Python's `repr` finds the same shortest digits; only the punctuation differs.

    Raises:
        ValueError: The number is NaN or infinite.

    >>> [format_number(number) for number in (1e20, 1e21, 1e-6, 1e-7, -0.0, 4.5)]
    ['100000000000000000000', '1e+21', '0.000001', '1e-7', '0', '4.5']
    """
    if not math.isfinite(number):
        raise ValueError("NaN and the infinities have no canonical form")
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    # The value is 0.DIGITS times ten to the power `point`.
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    count = len(digits)
    if count <= point <= _ES6_LARGEST_PLAIN_EXPONENT:
        return sign + digits + "0" * (point - count)
    if 0 < point <= _ES6_LARGEST_PLAIN_EXPONENT:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if _ES6_SMALLEST_PLAIN_EXPONENT < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"


def utf16_order(name: str) -> bytes:
    """Return the sort key of a member name: its UTF-16 code units (RFC 8785, section 3.2.3).

    >>> sorted(["\\ufb33", "\\U0001f600"], key=utf16_order) == ["\\U0001f600", "\\ufb33"]
    True
    """
    return name.encode("utf-16-be", "surrogatepass")


def is_plain(value: Any) -> bool:
    """Whether `pydantic_core.to_json` gives the canonical bytes of this value; True is always right, False may not be.

    >>> is_plain({"a": [1, "x", None]}), is_plain({"b": 1, "a": 2}), is_plain(1.5), is_plain(2**53)
    (True, False, False, False)
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER)
    if kind is list or kind is tuple:
        # Most lists hold text only; then the types are compared without a Python frame for each item.
        return _TEXT_ONLY.issuperset(map(type, value)) or all(map(is_plain, value))
    if kind is dict:
        # For ASCII the order of code points is the order of UTF-16 code units.
        if not _TEXT_ONLY.issuperset(map(type, value)) or not all(map(str.isascii, value)):
            return False
        if len(value) > 1 and list(value) != sorted(value):
            return False
        return _TEXT_ONLY.issuperset(map(type, value.values())) or all(map(is_plain, value.values()))
    return False


def _append(value: Any, put: Any, depth: int) -> None:
    if depth < 0:
        raise ValueError(f"a value nested deeper than {MAX_DEPTH} levels is not recorded")
    if isinstance(value, str):
        # The same escapes as RFC 8785, section 3.2.2.2: the seven short forms and lower-case \\u00xx below U+0020.
        put(encode_basestring(str.__str__(value)))
    elif value is None:
        put("null")
    elif value is True or value is False:
        put("true" if value else "false")
    elif isinstance(value, int):
        if not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            raise ValueError("an integer beyond 2^53-1 has no canonical form; write it as text")
        put(int.__repr__(value))
    elif isinstance(value, float):
        put(format_number(value))
    elif isinstance(value, Mapping):
        _append_object(value, put, depth)
    elif isinstance(value, list | tuple):
        opening = "["
        for item in value:
            put(opening)
            _append(item, put, depth - 1)
            opening = ","
        put("]" if opening == "," else "[]")
    else:
        raise ValueError(f"a value of type {type(value).__name__} is not JSON")


def _append_object(value: Mapping[Any, Any], put: Any, depth: int) -> None:
    if not all(isinstance(name, str) for name in value):
        raise ValueError("member names must be text")
    opening = "{"
    for name in sorted(value, key=utf16_order):
        put(opening)
        put(encode_basestring(str.__str__(name)))
        put(":")
        _append(value[name], put, depth - 1)
        opening = ","
    put("}" if opening == "," else "{}")
