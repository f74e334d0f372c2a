from __future__ import annotations

from typing import Any

import pytest

from mcp_server.security.permissions.recorded_question import RecordedQuestion


def record(rule: str, kind: str = "call.done", **fields: Any) -> dict[str, Any]:
    time = "1970-01-01T00:00:05.000000Z"
    return {"kind": kind, "client": "ada", "ts": time, "need": [["FILE_READ", "/a", rule]], **fields}


@pytest.mark.parametrize(
    ("rule", "kind", "effect"),
    [
        ("ada.allow[0]", "call.done", "allow"),
        ("a.b.allow[12]", "call.intent", "allow"),
        ("ada.ask[0]", "call.done", "ask"),
        ("ada.grant[0]", "call.done", "ask"),
        ("ada.allow[0]", "call.unknown", "allow"),
        ("ada.deny[0]", "call.denied", "deny"),
        ("none", "call.denied", "deny"),
        ("ada.folders", "call.denied", "deny"),
        ("ceiling", "call.done", "deny"),
        ("ceiling.deny[1]", "call.denied", "deny"),
        ("default_deny.shipped[0]", "call.denied", "deny"),
        ("default_deny.extra[0]", "call.denied", "deny"),
        ("token", "call.denied", "deny"),
        # It was not used.
        ("ada.allow[0]", "call.denied", None),
        ("ada.ask[0]", "sandbox.violation", None),
        # No decision of a policy.
        ("undeclared", "call.denied", None),
        ("proxy 200", "call.done", None),
        ("escape", "sandbox.violation", None),
        ("ada.allow[0]", "consent.asked", None),
    ],
)
def test_what_became_of_a_need_is_read_off_its_rule_and_its_call(rule: str, kind: str, effect: str | None) -> None:
    found = list(RecordedQuestion.read([record(rule, kind)]))
    assert [each.effect.value for each in found] == ([] if effect is None else [effect])
    assert all((each.client, each.resource, each.at) == ("ada", "/a", 5.0) for each in found)


@pytest.mark.parametrize(
    "broken",
    [
        {"client": 1},
        {"need": "x"},
        {"need": [["FILE_READ", "/a"]]},
        {"need": [["FILE_READ", 1, "none"]]},
        {"need": [["FILE_REED", "/a", "none"]]},
        {"need": ["none"]},
    ],
)
def test_what_is_no_record_of_ours_is_passed_over(broken: dict[str, Any]) -> None:
    assert list(RecordedQuestion.read([record("none", **broken), {}, {"kind": "unreadable", "raw": "x"}])) == []
    assert next(RecordedQuestion.read([record("none", ts="never")])).at == 0.0
