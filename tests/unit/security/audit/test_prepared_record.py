from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.security.audit.canonical_json import canonical_json
from mcp_server.security.audit.prepared_record import PreparedRecord
from mcp_server.security.audit.record_encoder import RecordEncoder
from mcp_server.security.audit.record_layout import RecordLayout

LEAF = "ab" * 32
TIME = "2026-01-31T12:00:00.000001Z"

json_values: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="ascii")), inner, max_size=3)
    ),
    max_leaves=8,
)
names = st.sampled_from(["args", "call", "client", "conn", "need", "out", "policy", "req_id", "tool", "tool_hash"])


def filled(record: PreparedRecord, values: dict[str, Any]) -> bytes:
    encoded = tuple(RecordEncoder.encode_value(values[name]) for name in record.variables)
    return record.line(encoded, mono=5, seq=7, ts=TIME.encode(), leaf=LEAF.encode())


def encoded(constants: dict[str, Any], values: dict[str, Any]) -> bytes:
    """Return what the general way writes."""
    fields = {**constants, **values}
    record = {**RecordLayout("call.done", fields, stream="main").template, **fields}
    record |= {"mono": 5, "seq": 7, "ts": TIME, "x_prev": LEAF}
    return RecordEncoder(max_bytes=1 << 20).encode(record, fields)


@given(fields=st.dictionaries(names, json_values), split=st.sets(names))
def test_the_line_is_the_one_the_general_encoder_writes(fields: dict[str, Any], split: set[str]) -> None:
    constants = {name: value for name, value in fields.items() if name in split}
    values = {name: value for name, value in fields.items() if name not in split}
    line = filled(PreparedRecord("call.done", constants, values, stream="main"), values)
    assert line == encoded(constants, values)
    assert line == canonical_json(json.loads(line))


@pytest.mark.parametrize("text", ["100 %", "%b", "%%", "%(call)b", "%d %s"])
def test_formatting_characters_are_only_text(text: str) -> None:
    record = PreparedRecord("call.done", {"tool": text}, ["client"], stream="main")
    line = json.loads(filled(record, {"client": text}))
    assert (line["tool"], line["client"]) == (text, text)


@pytest.mark.parametrize(
    "value", [2**60, 1.5, float("inf"), "\ud800", ["\udfff"], {"b": 1, "a": [2**70]}, {"\ud800": 1}]
)
def test_what_has_no_canonical_form_is_told_as_the_general_encoder_tells_it(value: Any) -> None:
    line = filled(PreparedRecord("call.done", {}, ["req_id"], stream="main"), {"req_id": value})
    assert line == encoded({}, {"req_id": value})


def test_a_name_of_the_logs_own_is_refused() -> None:
    with pytest.raises(ValueError, match="seq"):
        PreparedRecord("call.done", {}, ["seq"], stream="main")
