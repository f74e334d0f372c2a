"""Holds what the server sends against the protocol's own schemas, and against what those leave unsaid.

The schemas allow unknown members nearly everywhere, so a member of the other era in a result would pass them; and their
unions let a broken result pass as another kind of result. Those cases are checked by hand here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

SPEC: Final = Path(__file__).resolve().parent.parent / "spec"
MODERN: Final = "2026-07-28"
REVISIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", MODERN)

RESULTS: Final = {
    "initialize": "InitializeResult",
    "server/discover": "DiscoverResult",
    "ping": "EmptyResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "resources/subscribe": "EmptyResult",
    "resources/unsubscribe": "EmptyResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "completion/complete": "CompleteResult",
    "logging/setLevel": "EmptyResult",
    "subscriptions/listen": "SubscriptionsListenResult",
}
NOTIFICATIONS: Final = {
    "notifications/cancelled": "CancelledNotification",
    "notifications/progress": "ProgressNotification",
    "notifications/message": "LoggingMessageNotification",
    "notifications/tools/list_changed": "ToolListChangedNotification",
    "notifications/prompts/list_changed": "PromptListChangedNotification",
    "notifications/resources/list_changed": "ResourceListChangedNotification",
    "notifications/resources/updated": "ResourceUpdatedNotification",
    "notifications/elicitation/complete": "ElicitationCompleteNotification",
    "notifications/subscriptions/acknowledged": "SubscriptionsAcknowledgedNotification",
}
REQUESTS: Final = {
    "ping": "PingRequest",
    "sampling/createMessage": "CreateMessageRequest",
    "roots/list": "ListRootsRequest",
    "elicitation/create": "ElicitRequest",
}
MODERN_ERRORS: Final = {
    -32022: "UnsupportedProtocolVersionError",
    -32021: "MissingRequiredClientCapabilityError",
    -32020: "HeaderMismatchError",
}
MODERN_MEMBERS: Final = ("resultType", "ttlMs", "cacheScope")
SERVER_INFO: Final = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION_ID: Final = "io.modelcontextprotocol/subscriptionId"
INPUT_METHODS: Final = ("tools/call", "prompts/get", "resources/read")
UNREADABLE: Final = (-32700, -32600, -32602)
"""Codes of errors about messages whose id may be unreadable."""


@cache
def _schema(revision: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SPEC / revision / "schema.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _validator(revision: str, definition: str) -> Any:
    schema = _schema(revision)
    key = "$defs" if "$defs" in schema else "definitions"
    assert definition in schema[key], f"{revision} has no {definition}"
    wanted = {"$schema": schema["$schema"], "$ref": f"#/{key}/{definition}", key: schema[key]}
    kind = jsonschema_rs.Draft202012Validator if key == "$defs" else jsonschema_rs.Draft7Validator
    return kind(wanted)


class SpecValidator:
    """Checks messages of the server against one revision; each method raises AssertionError with a readable reason.

    Messages may be bytes, text or parsed. Args: revision, a date such as `2025-06-18`.
    """

    def __init__(self, revision: str) -> None:
        assert revision in REVISIONS, f"no such revision: {revision}"
        self.revision = revision
        self.is_modern = revision == MODERN

    def answer(self, method: str, message: Any) -> dict[str, Any]:
        """Check the answer to a request, be it a result or an error; return it parsed."""
        value = self._parsed(message)
        return self.error(value) if "error" in value else self.response(method, value)

    def response(self, method: str, message: Any) -> dict[str, Any]:
        """Check a successful answer to a request of the given method; return it parsed."""
        value = self._parsed(message)
        self._envelope(value, {"jsonrpc", "id", "result"})
        assert type(value["id"]) in (str, int), f"id must be text or an integer: {value['id']!r}"
        result = value["result"]
        assert isinstance(result, dict), f"result must be an object: {result!r}"
        definition = RESULTS.get(method)
        assert definition is not None, f"no result is known for {method}"
        if self.is_modern:
            self._modern_result(method, definition, value)
        else:
            self._valid("JSONRPCMessage", value)
            self._valid(definition, result)
            leaked = [member for member in MODERN_MEMBERS if member in result]
            assert not leaked, f"{', '.join(leaked)} in a result of {self.revision}"
            assert SERVER_INFO not in result.get("_meta", {}), f"{SERVER_INFO} in a result of {self.revision}"
            if method == "initialize":
                assert result["protocolVersion"] in REVISIONS[:-1], f"not a handshake date: {result}"
        return value

    def error(self, message: Any) -> dict[str, Any]:
        """Check an error answer; return it parsed."""
        value = self._parsed(message)
        self._envelope(value, {"jsonrpc", "id", "error"})
        error = value["error"]
        assert isinstance(error, dict), f"error must be an object: {error!r}"
        code = error.get("code")
        held = dict(value)
        if held.get("id") is None:
            # JSON-RPC demands null where the id could not be read; the schemas want it left out, or know no such case.
            assert code in UNREADABLE, f"an error {code} without an id answers nobody: {value}"
            held["id"] = 0
        if self.is_modern:
            self._valid(MODERN_ERRORS.get(code, "JSONRPCErrorResponse"), held)
            assert code not in (-32002, -32042), f"{code} must not be sent at {self.revision}"
        else:
            self._valid("JSONRPCMessage", held)
            assert code not in MODERN_ERRORS, f"{code} is of {MODERN}, not of {self.revision}"
            assert code != -32042 or self.revision == "2025-11-25", f"{code} is not of {self.revision}"
        reserved = -32099 <= code <= -32000 and code not in (-32002, -32042, *MODERN_ERRORS)
        assert not reserved, f"{code} is reserved by the specification and undefined"
        return value

    def notification(self, message: Any) -> dict[str, Any]:
        """Check a notification to the client; return it parsed."""
        value = self._parsed(message)
        self._envelope(value, {"jsonrpc", "method", "params"})
        definition = NOTIFICATIONS.get(value.get("method", ""))
        assert definition is not None, f"no notification {value.get('method')!r} goes to a client"
        assert definition in self._union("ServerNotification"), f"{value['method']} is not of {self.revision}"
        self._valid("JSONRPCNotification", value)
        self._valid(definition, value)
        if self.is_modern and value["method"] == "notifications/subscriptions/acknowledged":
            assert SUBSCRIPTION_ID in value["params"].get("_meta", {}), f"no {SUBSCRIPTION_ID}: {value}"
        if self.revision == "2024-11-05" and value["method"] == "notifications/progress":
            assert "message" not in value["params"], "progress has no message before 2025-03-26"
        return value

    def server_request(self, message: Any) -> dict[str, Any]:
        """Check a request of the server to the client; return it parsed."""
        value = self._parsed(message)
        assert not self.is_modern, f"the server sends no requests at {MODERN}: {value}"
        self._envelope(value, {"jsonrpc", "id", "method", "params"})
        definition = REQUESTS.get(value.get("method", ""))
        assert definition is not None, f"no request {value.get('method')!r} goes to a client"
        assert definition in self._union("ServerRequest"), f"{value['method']} is not of {self.revision}"
        self._valid("JSONRPCRequest", value)
        self._valid(definition, value)
        return value

    def batch(self, methods: Mapping[Any, str], message: Any) -> list[dict[str, Any]]:
        """Check a batch of answers; `methods` says which method each id called. Return it parsed."""
        assert self.revision == "2025-03-26", f"{self.revision} has no batches"
        value = json.loads(message) if isinstance(message, bytes | str) else message
        assert isinstance(value, list), f"a batch is an array: {value!r}"
        assert value, "a batch must not be empty"
        return [self.answer(methods.get(element.get("id"), ""), element) for element in value]

    def message(self, message: Any, method: str | None = None) -> dict[str, Any]:
        """Check any message of the server, told apart by its members; `method` is what a result answers."""
        value = self._parsed(message)
        if "method" in value:
            return self.server_request(value) if "id" in value else self.notification(value)
        if "error" in value:
            return self.error(value)
        assert method is not None, f"say which method this answers: {value}"
        return self.response(method, value)

    def _modern_result(self, method: str, definition: str, value: dict[str, Any]) -> None:
        result = value["result"]
        result_type = result.get("resultType")
        assert isinstance(result_type, str), f"'resultType' is a required property: {result}"
        self._valid("JSONRPCMessage", value)
        if result_type == "input_required":
            assert method in INPUT_METHODS, f"{method} may not ask for input"
            self._valid("InputRequiredResult", result)
            assert "inputRequests" in result or "requestState" in result, f"asks for nothing: {result}"
            assert not {"ttlMs", "cacheScope"} & set(result), f"a question must not be kept: {result}"
            for request in result.get("inputRequests", {}).values():
                assert not {"id", "jsonrpc"} & set(request), f"a question in a result has no id: {request}"
        else:
            assert result_type == "complete", f"unknown resultType {result_type!r}"
            self._valid(definition, result)
        # The union of the two lets a broken result pass for the other kind, so it comes last.
        response = f"{definition}Response"
        if response in _schema(self.revision)["$defs"]:
            self._valid(response, value)

    def _union(self, name: str) -> set[str]:
        schema = _schema(self.revision)
        union = schema.get("$defs", schema.get("definitions", {}))[name]
        return {member["$ref"].rsplit("/", 1)[1] for member in union["anyOf"]}

    def _valid(self, definition: str, value: Any) -> None:
        errors = list(_validator(self.revision, definition).iter_errors(value))
        if errors:
            reasons = "; ".join(
                f"{'/'.join(map(str, error.instance_path)) or '.'}: {error.message}" for error in errors
            )
            raise AssertionError(f"not a {definition} of {self.revision}: {reasons[:800]}")

    @staticmethod
    def _envelope(value: dict[str, Any], members: set[str]) -> None:
        assert value.get("jsonrpc") == "2.0", f"no JSON-RPC 2.0 message: {value}"
        strangers = set(value) - members
        assert not strangers, f"unknown members of the envelope: {sorted(strangers)}"
        missing = members - set(value) - {"params", "id"}
        assert not missing, f"missing members of the envelope: {sorted(missing)}"

    @staticmethod
    def _parsed(message: Any) -> dict[str, Any]:
        if isinstance(message, bytes | bytearray):
            assert b"\n" not in message.rstrip(b"\n"), "a message must not hold a raw newline"
        value = json.loads(message) if isinstance(message, bytes | bytearray | str) else message
        assert isinstance(value, dict), f"a message is an object: {value!r}"
        return value
