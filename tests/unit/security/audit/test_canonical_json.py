"""RFC 8785, on the published files and on 6,394 numbers."""

from __future__ import annotations

import enum
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from mcp_server.security.audit.canonical_json import MAX_SAFE_INTEGER, canonical_json, format_number, is_plain

VECTORS = Path(__file__).parents[3] / "vectors" / "rfc8785"


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize("name", sorted(path.name for path in (VECTORS / "input").iterdir()))
def test_published_file_is_reproduced(name: str) -> None:
    value = json.loads((VECTORS / "input" / name).read_bytes())
    assert canonical_json(value) == (VECTORS / "output" / name).read_bytes()


def test_every_number_is_written_as_ecmascript_does() -> None:
    lines = (VECTORS / "es6-numbers.csv").read_text().splitlines()
    assert len(lines) > 6000
    wrong = []
    for line in lines:
        bits, _, expected = line.partition(",")
        (number,) = struct.unpack(">d", int(bits, 16).to_bytes(8, "big"))
        if format_number(number) != expected:
            wrong.append((bits, expected, format_number(number)))
    assert not wrong


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        MAX_SAFE_INTEGER + 1,
        -MAX_SAFE_INTEGER - 1,
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        b"bytes",
        {1, 2},
        object(),
    ],
    ids=repr,
)
def test_value_without_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"canonical form|member names|not JSON"):
        canonical_json(value)


def test_value_nested_too_deeply_is_refused() -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    with pytest.raises(ValueError, match=r"deeper"):
        canonical_json(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": {}}, b'{"a":{},"b":1}'),
        (["", [], (1, None, False)], b'["",[],[1,null,false]]'),
        ('\x00\x1f\x7f\u2028"\\/\b\f\n\r\t', b'"\\u0000\\u001f\x7f\xe2\x80\xa8\\"\\\\/\\b\\f\\n\\r\\t"'),
        ({"\U0001f600": 1, "\ufb33": 2}, b'{"\xf0\x9f\x98\x80":1,"\xef\xac\xb3":2}'),
        (Colour.RED, b'"red"'),
        (MAX_SAFE_INTEGER, b"9007199254740991"),
        (True, b"true"),
        (1.0, b"1"),
    ],
)
def test_form(value: Any, expected: bytes) -> None:
    assert canonical_json(value) == expected


@pytest.mark.parametrize(
    "value",
    [1.0, Colour.RED, {"b": 1, "a": 1}, {"é": 1}, {1: 1}, [2**53], {"a": [0.5]}, {"a": b"x"}, object()],
    ids=repr,
)
def test_whatever_may_differ_is_not_plain(value: Any) -> None:
    assert not is_plain(value)


@pytest.mark.parametrize("value", ["é", 5, None, True, ["a", 1], ("a",), {}, {"": 1, "a": {"b": [None]}}], ids=repr)
def test_common_values_are_plain(value: Any) -> None:
    assert is_plain(value)
