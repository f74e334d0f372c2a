"""The fast way and the slow way to canonical JSON lead to the same bytes."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import to_json

from mcp_server.security.audit.canonical_json import (
    MAX_SAFE_INTEGER,
    canonical_json,
    format_number,
    is_plain,
    parse_json,
    utf16_order,
)
from mcp_server.security.audit.record_encoder import RecordEncoder

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER) | TEXT
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | FLOATS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
ANYTHING = st.recursive(
    SCALARS | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def by_the_standard_library(value: Any) -> bytes:
    """A second canonicaliser, for values without floats: sorted by hand, written by `json`."""

    def sort(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: sort(value[name]) for name in sorted(value, key=utf16_order)}
        return [sort(item) for item in value] if isinstance(value, list) else value

    return json.dumps(sort(value), ensure_ascii=False, separators=(",", ":")).encode()


@given(VALUES)
def test_where_the_fast_way_may_be_taken_it_is_equal(value: Any) -> None:
    if is_plain(value):
        assert to_json(value) == canonical_json(value)


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)))
def test_independent_canonicaliser_agrees(value: Any) -> None:
    assert canonical_json(value) == by_the_standard_library(value)


@given(VALUES)
def test_canonical_form_is_a_fixed_point(value: Any) -> None:
    data = canonical_json(value)
    assert canonical_json(parse_json(data)) == data


@given(FLOATS)
def test_number_comes_back(number: float) -> None:
    text = format_number(number)
    assert float(text) == number
    assert ("e" in text) == (number != 0 and not 1e-6 <= abs(number) < 1e21)
    assert math.copysign(1, float(text)) == (1 if number >= 0 else -1)


@given(st.dictionaries(st.sampled_from(["args", "err", "need", "out", "req_id", "tool", "trace"]), ANYTHING))
def test_every_json_value_can_be_recorded_in_canonical_form(fields: dict[str, Any]) -> None:
    record = dict(sorted((fields | {"seq": 1, "x_prev": "0" * 64}).items()))
    line = RecordEncoder(max_bytes=100_000).encode(record, fields)
    assert b"\n" not in line
    assert canonical_json(parse_json(line)) == line
    assert line.endswith(b',"x_prev":"' + b"0" * 64 + b'"}')
