from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from mcp_server.security.audit.canonical_json import canonical_json
from mcp_server.security.audit.record_encoder import RecordEncoder

OWN: dict[str, Any] = {"kind": "call.done", "mono": 1, "seq": 2, "stream": "main", "ts": "t", "v": 1}


def record(fields: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted((OWN | fields | {"x_prev": "0" * 64}).items()))


@pytest.mark.parametrize(
    "fields",
    [{}, {"args": {"a": 1}}, {"args": {"b": 1, "a": 0.5}}, {"args": {"\U0001f600": 1, "\ufb33": 1e21}}],
    ids=repr,
)
def test_line_is_canonical_on_either_way(fields: dict[str, Any]) -> None:
    line = RecordEncoder(max_bytes=16384).encode(record(fields), fields)
    assert line == canonical_json(record(fields))


def test_longest_field_is_replaced_by_length_and_digest_first() -> None:
    fields = {"args": {"a": "x" * 900}, "err": "short", "out": "y" * 50}
    parsed = from_json(RecordEncoder(max_bytes=500).encode(record(fields), fields))
    whole = canonical_json(fields["args"])
    assert parsed["args"] == {"digest": sha256(whole).hexdigest(), "len": len(whole)}
    assert (parsed["err"], parsed["out"]) == ("short", "y" * 50)


def test_record_without_anything_to_cut_is_refused() -> None:
    fields = {"tool": "x" * 900}
    with pytest.raises(ValueError, match=r"longer than"):
        RecordEncoder(max_bytes=500).encode(record(fields), fields)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (2**60, "0x1000000000000000"),
        (-(2**53), "-0x20000000000000"),
        (10**5000, hex(10**5000)),
        (float("nan"), "nan"),
        ("a\ud800", "a\\ud800"),
        ({"\ud800": [-float("inf"), True]}, {"\\ud800": ["-inf", True]}),
    ],
    ids=["large", "small", "huge", "nan", "surrogate", "nested"],
)
def test_value_that_a_client_may_send_is_told_even_without_a_canonical_form(value: Any, told: Any) -> None:
    fields = {"req_id": value}
    line = RecordEncoder(max_bytes=16384).encode(record(fields), fields)
    assert from_json(line)["req_id"] == told


@pytest.mark.parametrize("value", [b"x", {1: 1}, {1, 2}], ids=repr)
def test_value_that_is_not_json_is_a_mistake_in_the_code(value: Any) -> None:
    with pytest.raises(ValueError, match=r"not JSON|member names"):
        RecordEncoder(max_bytes=500).encode(record({"args": value}), {"args": value})


@given(st.lists(st.lists(st.text(st.characters()), max_size=3), max_size=3))
def test_rows_of_texts_are_encoded_as_any_value(rows: list[list[str]]) -> None:
    assert RecordEncoder.encode_texts(rows) == RecordEncoder.encode_value(rows)
