"""What is a message and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.protocol.jsonrpc.envelope import classify
from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.protocol.jsonrpc.notification import Notification
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.response import Response

LIMITS = MessageLimits()


def message(**members: Any) -> Any:
    return classify({"jsonrpc": "2.0", **members}, LIMITS)


@pytest.mark.parametrize("message_id", [0, -1, 2**63 - 1, "", "a", "x" * 256])
def test_good_ids(message_id: Any) -> None:
    assert message(id=message_id, method="m") == Request(message_id, "m", {})
    assert message(id=message_id, method="m", params={"a": 1}) == Request(message_id, "m", {"a": 1})
    assert message(id=message_id, result={}) == Response(message_id, {}, None)


@pytest.mark.parametrize("message_id", [None, True, False, 1.0, 1.5, [], {}, 2**63, -(2**63), "x" * 257])
def test_bad_ids(message_id: Any) -> None:
    for members in ({"method": "m"}, {"method": "m", "params": {}}, {"result": {}}):
        refused = message(id=message_id, **members)
        assert isinstance(refused, InvalidMessage)
        assert (refused.code, refused.id) == (-32600, None)
        assert "the id" in refused.message


@pytest.mark.parametrize("version", ["1.0", "2", 2.0, 2, None, True, ["2.0"]])
def test_the_version_is_exact(version: Any) -> None:
    assert classify({"jsonrpc": version, "id": 3, "method": "m"}, LIMITS) == InvalidMessage(
        -32600, 'jsonrpc must be "2.0"', 3
    )
    assert classify({"jsonrpc": version, "id": 3, "method": "m", "params": {}}, LIMITS).id == 3  # type: ignore[union-attr]


@pytest.mark.parametrize("method", [None, 1, "", [], {}, True, "m" * 257])
def test_bad_methods_keep_the_id(method: Any) -> None:
    for more in ({}, {"params": {}}):
        refused = message(id=3, method=method, **more)
        assert isinstance(refused, InvalidMessage)
        assert (refused.code, refused.id) == (-32600, 3)


@pytest.mark.parametrize(
    ("params", "code"), [([], -32602), (["a"], -32602), (None, -32600), ("a", -32600), (1, -32600)]
)
def test_parameters_are_an_object(params: Any, code: int) -> None:
    assert message(id=3, method="m", params=params) == InvalidMessage(code, "params must be an object", 3)
    assert message(method="m", params=params) == InvalidMessage(code, "params must be an object", None)


def test_a_message_without_id_is_a_notification() -> None:
    assert message(method="m", params={"a": 1}) == Notification("m", {"a": 1})


def test_unknown_members_are_ignored() -> None:
    assert message(id=1, method="m", extra=[1], trace="t") == Request(1, "m", {})
    assert message(method="m", extra=[1]) == Notification("m", {})


@pytest.mark.parametrize("members", [{"result": {}}, {"error": {"code": 1, "message": "m"}}, {"result": None}])
def test_a_message_is_not_both_request_and_response(members: dict[str, Any]) -> None:
    refused = message(id=1, method="m", **members)
    assert isinstance(refused, InvalidMessage)
    assert "not both" in refused.message


def test_a_response_has_a_result_or_an_error() -> None:
    error = {"code": -1, "message": "m", "data": [1]}
    answer = message(id=1, error=error)
    assert answer == Response(1, None, error)
    assert answer.is_error
    assert message(id=1, result={}, error=error).message == "a response carries a result or an error, not both"
    assert message(id=1) == InvalidMessage(-32600, "a message needs a method, a result or an error", 1)


def test_an_error_about_an_unreadable_message_has_no_id() -> None:
    error = {"code": -32700, "message": "m"}
    assert message(id=None, error=error) == Response(None, None, error)
    assert message(error=error) == Response(None, None, error)
    assert isinstance(message(id=1.5, error=error), InvalidMessage)
    assert isinstance(message(result={}), InvalidMessage)


@pytest.mark.parametrize("error", [None, 1, {}, {"code": 1}, {"code": True, "message": "m"}, {"code": 1, "message": 2}])
def test_bad_errors(error: Any) -> None:
    refused = message(id=5, error=error)
    assert isinstance(refused, InvalidMessage)
    # The id is one this side gave out; an answer that carried it would answer something else.
    assert refused.id is None


@pytest.mark.parametrize("result", [None, 1, "a", [], True])
def test_a_result_is_an_object(result: Any) -> None:
    assert message(id=5, result=result) == InvalidMessage(-32600, "the result must be an object", None)


def test_a_response_names_its_version_too() -> None:
    assert classify({"id": 5, "result": {}}, LIMITS) == InvalidMessage(-32600, 'jsonrpc must be "2.0"', None)


@pytest.mark.parametrize("value", [None, 1, "a", True, 1.5])
def test_what_is_no_object_is_no_message(value: Any) -> None:
    assert classify(value, LIMITS) == InvalidMessage(-32600, "a message must be a JSON object", None)
