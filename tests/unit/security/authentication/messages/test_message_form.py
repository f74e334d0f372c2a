from __future__ import annotations

import copy
from typing import Any

import pytest

from mcp_server.security.authentication.messages import message_form
from mcp_server.security.authentication.messages.message_form import (
    SIGNATURE_MEMBER,
    canonical_bytes,
    signature_of,
    signed_part,
    with_signature,
)

MESSAGES: list[dict[str, Any]] = [
    {"id": 1, "method": "m"},
    {"id": 1, "method": "m", "params": {"a": 1}},
    {"method": "n", "params": {"_meta": {"x": 1}}},
    {"id": 1, "result": {}},
    {"id": 1, "result": {"_meta": {"x": 1}, "a": []}},
    {"id": 1, "error": {"code": 1, "message": "m"}},
    {"id": 1, "error": {"code": 1, "message": "m", "data": {"a": 1}}},
]


@pytest.mark.parametrize("message", MESSAGES)
def test_a_signature_comes_and_goes_and_touches_nothing_else(message: dict[str, Any]) -> None:
    before = copy.deepcopy(message)
    signed = with_signature(message, "s")
    assert signature_of(signed) == "s"
    assert signature_of(message) is None
    assert signed_part(signed) == signed_part(message)
    assert message == before
    if "_meta" in str(message):
        assert signed_part(signed) == message


@pytest.mark.parametrize(
    "message",
    [
        {"method": "m", "params": []},
        {"method": "m", "params": None},
        {"method": "m", "params": {"_meta": []}},
        {"method": "m", "params": {"_meta": None}},
        {"result": "text"},
        {"result": None},
        {"error": {"code": 1, "data": "text"}},
        {"error": "text"},
    ],
)
def test_a_place_that_is_no_object_is_refused(message: dict[str, Any]) -> None:
    for act in (signature_of, signed_part, lambda each: with_signature(each, "s")):
        with pytest.raises(ValueError, match="no object"):
            act(message)


@pytest.mark.parametrize("value", [None, 1, ["a..b"], {}])
def test_a_signature_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="no text"):
        signature_of({"method": "m", "params": {"_meta": {SIGNATURE_MEMBER: value}}})


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_form, "MAX_ELEMENTS", 10)
    assert canonical_bytes({"a": list(range(9))})
    for large in ({"a": list(range(10))}, {"a": [[0] * 4] * 3}, {str(number): 1 for number in range(11)}):
        with pytest.raises(ValueError, match="too many"):
            canonical_bytes(large)
    monkeypatch.setattr(message_form, "MAX_MESSAGE_BYTES", 10)
    with pytest.raises(ValueError, match="too large"):
        canonical_bytes({"a": "x" * 10})
