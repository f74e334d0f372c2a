from __future__ import annotations

import pytest

from mcp_server.security.audit.record_filter import RecordFilter

RECORD = {"kind": "call.done", "client": "local", "tool": "read", "call": "c1", "decision": "allow", "seq": 5}


@pytest.mark.parametrize(
    "wanted",
    [
        RecordFilter(),
        RecordFilter(kind="call"),
        RecordFilter(kind="call.done", client="local", tool="read", call="c1", decision="allow", since_seq=5),
    ],
)
def test_record_matches(wanted: RecordFilter) -> None:
    assert wanted.matches(RECORD)


@pytest.mark.parametrize(
    "wanted",
    [
        RecordFilter(kind="cal"),
        RecordFilter(kind="log"),
        RecordFilter(client="x"),
        RecordFilter(tool="x"),
        RecordFilter(call="x"),
        RecordFilter(decision="deny"),
        RecordFilter(since_seq=6),
    ],
)
def test_record_does_not_match(wanted: RecordFilter) -> None:
    assert not wanted.matches(RECORD)


def test_record_without_a_number_is_not_newer_than_anything() -> None:
    assert not RecordFilter(since_seq=1).matches({"kind": "unreadable"})
