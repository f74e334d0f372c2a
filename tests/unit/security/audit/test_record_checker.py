from __future__ import annotations

from typing import Any

import pytest

from mcp_server.security.audit.canonical_json import canonical_json
from mcp_server.security.audit.record_checker import RecordChecker

FIRST = {
    "kind": "log.open",
    "mono": 5,
    "seq": 0,
    "stream": "main",
    "ts": "2026-11-21T14:00:00.000000Z",
    "v": 1,
    "x_prev": "0" * 64,
}


def line(**changes: Any) -> bytes:
    return canonical_json({name: value for name, value in (FIRST | changes).items() if value is not ...})


def check(*lines: bytes) -> str | None:
    checker = RecordChecker()
    for each in lines[:-1]:
        assert checker.check(each) is None
    return checker.check(lines[-1])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (line()[:-1] + b',"x":NaN}', "not JSON"),
        (b"[]", "not an object"),
        (line().replace(b":", b": ", 1), "canonical"),
        (line().replace(b'"mono":5', b'"mono":5,"mono":5'), "canonical"),
        (line().replace(b'"mono":5', b'"mono":5.0'), "canonical"),
        (line(mono=...), "'mono' is missing"),
        (line(seq=True), "'seq' is not of type int"),
        (line(v=2), "version 2"),
        (line(ts="2026-11-21T14:00:00Z"), "UTC time"),
        (line(ts="2026-11-21T14:00:00.000000+01:00"), "UTC time"),
        (line(kind="log.shut"), "kind is unknown"),
        (line(seq=1), "record 0 was expected"),
    ],
)
def test_bad_first_record(bad: bytes, reason: str) -> None:
    assert reason in (check(bad) or "")


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"seq": 2}, "record 1 was expected"),
        ({"seq": 0}, "record 1 was expected"),
        ({"seq": 1, "kind": "auth.ok", "mono": 4}, "backwards"),
        ({"seq": 1, "stream": "other"}, "another stream"),
        ({"seq": 1, "kind": "call.intent"}, "'call' is missing"),
    ],
)
def test_bad_second_record(second: dict[str, Any], reason: str) -> None:
    assert reason in (check(line(), line(**second)) or "")


def test_clock_of_a_new_run_may_start_lower() -> None:
    assert check(line(), line(seq=1, mono=1)) is None


@pytest.mark.parametrize(
    ("number", "is_good"),
    [(b"9007199254740992", True), (b"9007199254740993", False), (b"1e+21", True), (b"1e21", False)],
)
def test_number_beyond_the_exact_integers_is_read_as_a_double(number: bytes, is_good: bool) -> None:
    changed = line(args="@").replace(b'"@"', number)
    assert check(changed) == (None if is_good else "the line is not in canonical form")


def test_call_announced_twice_is_found() -> None:
    intent = {"kind": "call.intent", "call": "c"}
    assert "already" in (check(line(), line(seq=1, **intent), line(seq=2, **intent)) or "")


def test_call_may_be_announced_again_after_its_outcome() -> None:
    intent, done = {"kind": "call.intent", "call": "c"}, {"kind": "call.done", "call": "c"}
    assert check(line(), line(seq=1, **intent), line(seq=2, **done), line(seq=3, **intent)) is None


def test_open_call_must_be_told_of_by_the_next_run() -> None:
    opened = [line(), line(seq=1, kind="call.intent", call="c"), line(seq=2)]
    told = [line(seq=3, kind="log.recover"), line(seq=4, kind="call.unknown", call="c")]
    assert check(*opened, *told, line(seq=5, kind="auth.ok")) is None
    assert "what became" in (check(*opened, line(seq=3, kind="auth.ok")) or "")
