"""The validator refuses what it should: a check that never fails proves nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.spec_validator import REVISIONS, SpecValidator

MODERN = "2026-07-28"
TOOL = {"name": "t", "inputSchema": {"type": "object"}}


def result(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": members}


def error(code: int, message_id: Any = 1, **members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": message_id, "error": {"code": code, "message": "m", **members}}


def tools(**members: Any) -> dict[str, Any]:
    return result(tools=[TOOL], **members)


@pytest.mark.parametrize("revision", REVISIONS)
def test_good_messages_pass(revision: str) -> None:
    validator = SpecValidator(revision)
    more = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"} if revision == MODERN else {}
    good = tools(**more)
    assert validator.response("tools/list", json.dumps(good)) == good
    assert validator.answer("tools/list", json.dumps(good).encode()) == good
    assert validator.error(error(-32601))["id"] == 1
    assert validator.message(error(-32700, None))["error"]["code"] == -32700
    changed = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
    assert validator.message(changed) == changed


@pytest.mark.parametrize(
    ("revision", "method", "message", "reason"),
    [
        (MODERN, "tools/list", tools(resultType="complete", cacheScope="private"), "ttlMs"),
        (MODERN, "tools/list", tools(ttlMs=0, cacheScope="private"), "resultType"),
        (MODERN, "tools/list", tools(ttlMs=-1, cacheScope="private", resultType="complete"), "minimum"),
        (MODERN, "tools/list", tools(ttlMs=0, cacheScope="mine", resultType="complete"), "cacheScope"),
        (MODERN, "tools/call", result(resultType="complete"), "content"),
        (MODERN, "tools/call", result(resultType="tomorrow", content=[]), "resultType"),
        (MODERN, "tools/call", result(resultType="input_required"), "asks for nothing"),
        (MODERN, "tools/list", result(resultType="input_required", requestState="s"), "may not ask"),
        (MODERN, "ping", result(), "resultType"),
        ("2025-11-25", "tools/list", tools(resultType="complete"), "resultType in a result"),
        ("2025-11-25", "tools/list", tools(_meta={"io.modelcontextprotocol/serverInfo": {}}), "serverInfo in a result"),
        ("2025-11-25", "tools/call", result(content=[], structuredContent=[1]), "structuredContent"),
        ("2025-06-18", "tools/list", result(tools=[{"name": "t"}]), "inputSchema"),
        ("2025-03-26", "tools/call", result(content=[{"type": "resource_link", "uri": "a:b", "name": "n"}]), "content"),
        ("2024-11-05", "tools/call", result(content=[{"type": "audio", "data": "", "mimeType": "a/b"}]), "content"),
        ("2024-11-05", "tools/list", {"jsonrpc": "1.0", "id": 1, "result": {"tools": []}}, "JSON-RPC"),
        ("2024-11-05", "tools/list", {"jsonrpc": "2.0", "id": None, "result": {"tools": []}}, "id must be"),
        ("2024-11-05", "tools/list", {"jsonrpc": "2.0", "id": 1, "result": [1]}, "must be an object"),
        ("2024-11-05", "tools/list", {**tools(), "more": 1}, "unknown members"),
        ("2024-11-05", "of/tomorrow", tools(), "no result is known"),
    ],
)
def test_bad_results_are_refused(revision: str, method: str, message: dict[str, Any], reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        SpecValidator(revision).response(method, message)


@pytest.mark.parametrize(
    ("revision", "message", "reason"),
    [
        (MODERN, error(-32002), "must not be sent"),
        (MODERN, error(-32042), "must not be sent"),
        (MODERN, error(-32022), "not a UnsupportedProtocolVersionError"),
        (MODERN, error(-32021, data={"requiredCapabilities": ["sampling"]}), "not a Missing"),
        ("2025-11-25", error(-32021), "is of 2026-07-28"),
        ("2025-06-18", error(-32042), "is not of 2025-06-18"),
        ("2025-06-18", error(-32050), "reserved"),
        ("2025-06-18", error(4030, None), "answers nobody"),
        ("2025-06-18", {"jsonrpc": "2.0", "id": 1, "error": {"code": "x", "message": "m"}}, "not a JSONRPCMessage"),
        ("2025-06-18", {**error(-32601), "result": {}}, "unknown members"),
    ],
)
def test_bad_errors_are_refused(revision: str, message: dict[str, Any], reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        SpecValidator(revision).error(message)


def progress(**params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


@pytest.mark.parametrize(
    ("revision", "message", "reason"),
    [
        ("2024-11-05", progress(progressToken=1, progress=1, message="m"), "no message before"),
        ("2025-03-26", progress(progressToken=1.5, progress=1), "ProgressNotification"),
        ("2025-03-26", progress(progress=1), "progressToken"),
        ("2025-03-26", {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}, "no notification"),
        ("2025-11-25", {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged"}, "is not of"),
        (
            MODERN,
            {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {"notifications": {}}},
            "subscriptionId",
        ),
    ],
)
def test_bad_notifications_are_refused(revision: str, message: dict[str, Any], reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        SpecValidator(revision).notification(message)


@pytest.mark.parametrize(
    ("revision", "method", "reason"),
    [
        (MODERN, "roots/list", "sends no requests"),
        ("2025-03-26", "elicitation/create", "is not of"),
        ("2025-11-25", "tools/list", "no request"),
        ("2025-11-25", "sampling/createMessage", "params"),
    ],
)
def test_bad_requests_are_refused(revision: str, method: str, reason: str) -> None:
    with pytest.raises(AssertionError, match=reason):
        SpecValidator(revision).server_request({"jsonrpc": "2.0", "id": 1, "method": method})


def test_batches_are_of_one_revision() -> None:
    assert len(SpecValidator("2025-03-26").batch({1: "ping"}, [result(), error(-32601, 2)])) == 2
    with pytest.raises(AssertionError, match="no batches"):
        SpecValidator("2025-06-18").batch({1: "ping"}, [result()])


def test_a_raw_newline_inside_a_message_is_refused() -> None:
    with pytest.raises(AssertionError, match="newline"):
        SpecValidator("2025-06-18").message(b'{"jsonrpc":\n"2.0"}\n')
