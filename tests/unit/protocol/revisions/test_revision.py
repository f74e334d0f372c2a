"""Every revision says the newest shape in its own words, and the schemas understand them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.protocol.revisions.handshake_revision import HandshakeRevision
from mcp_server.protocol.revisions.revision import Revision
from mcp_server.protocol.revisions.stateless_revision import StatelessRevision
from tests.support.spec_validator import NOTIFICATIONS, REQUESTS, SpecValidator, _schema

OLD = ("2024-11-05", "2025-03-26")
LINK = {"type": "resource_link", "uri": "file:///b", "name": "b"}


def respond(revision: Revision, method: str, result: dict[str, Any], **more: Any) -> dict[str, Any]:
    before = copy.deepcopy(result)
    projected = revision.project_result(method, result, **more)
    assert result == before, "the argument was changed"
    SpecValidator(revision.date).response(method, {"jsonrpc": "2.0", "id": 1, "result": projected})
    return projected


def test_lists_of_every_kind_are_valid(revision: Revision, tool: dict[str, Any], server_info: dict[str, Any]) -> None:
    resource = {
        "uri": "file:///a",
        "name": "a",
        "title": "A",
        "size": 3,
        "annotations": {"priority": 0.5, "lastModified": "2026-01-01T00:00:00Z"},
        "icons": [{"src": "https://example.org/t.png"}],
    }
    template = {"uriTemplate": "file:///{x}", "name": "x", "title": "X"}
    prompt = {"name": "p", "title": "P", "arguments": [{"name": "q", "title": "Q", "required": True}]}
    lists: list[tuple[str, str, dict[str, Any]]] = [
        ("tools/list", "tools", tool),
        ("resources/list", "resources", resource),
        ("resources/templates/list", "resourceTemplates", template),
        ("prompts/list", "prompts", prompt),
    ]
    for method, key, entry in lists:
        projected = respond(revision, method, {key: [entry], "nextCursor": "c"}, server_info=server_info, ttl_ms=5)
        assert projected["nextCursor"] == "c"
        assert ("title" in projected[key][0]) == (revision.date >= "2025-06-18")
        if key != "resourceTemplates":
            assert ("icons" in projected[key][0]) == (revision.date >= "2025-11-25" and "icons" in entry)


def test_modern_lists_carry_cache_hints_and_the_name_of_the_server(server_info: dict[str, Any]) -> None:
    from mcp_server.protocol.revisions.revision_2026_07_28 import Revision20260728

    projected = respond(Revision20260728(), "tools/list", {"tools": []}, server_info=server_info, ttl_ms=9)
    assert projected["ttlMs"] == 9
    assert projected["cacheScope"] == "private"
    assert projected["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "desk"


def test_content_of_every_type_is_valid(revision: Revision, blocks: list[dict[str, Any]]) -> None:
    content = respond(revision, "tools/call", {"content": blocks, "isError": False})["content"]
    types = [block["type"] for block in content]
    expected = ["text", "image", "audio", "resource", "resource_link"]
    if revision.date in OLD:
        expected[4] = "text"
        assert content[4]["text"] == "b: file:///b (text/plain)\nthe letter"
    if revision.date == "2024-11-05":
        expected[2] = "resource"
        assert content[2]["resource"]["blob"] == "AAAA"
        assert content[2]["resource"]["mimeType"] == "audio/wav"
    assert types == expected
    messages = [{"role": "user", "content": block} for block in blocks]
    assert len(respond(revision, "prompts/get", {"messages": messages})["messages"]) == 5


def test_annotations_keep_what_the_revision_knows(revision: Revision, blocks: list[dict[str, Any]]) -> None:
    text = revision.project_block(blocks[0])
    assert ("lastModified" in text["annotations"]) == (revision.date >= "2025-06-18")
    assert ("_meta" in text) == (revision.date >= "2025-06-18")


def test_content_of_an_unknown_type_is_named_not_dropped() -> None:
    from mcp_server.protocol.revisions.revision_2025_06_18 import Revision20250618

    block = Revision20250618().project_block({"type": "hologram", "data": ""})
    assert block["type"] == "text"
    assert "hologram" in block["text"]


@pytest.mark.parametrize("value", [[1, 2], None, "text", 3, {"a": 1}])
def test_structured_content_agrees_with_the_advertised_schema(revision: Revision, value: object) -> None:
    """With a schema that allows anything, everything is wrapped alike where only objects may travel."""
    tool = {"name": "t", "inputSchema": {"type": "object"}, "outputSchema": {"$schema": "x:y"}}
    result = {"content": [], "structuredContent": value}
    advertised = revision.project_tool(tool)
    projected = respond(revision, "tools/call", result, output_schema=tool["outputSchema"])
    if revision.is_modern:
        assert projected["structuredContent"] == value
    elif revision.supports_structured_content:
        assert advertised["outputSchema"]["required"] == ["result"]
        assert projected["structuredContent"] == {"result": value}
        assert projected["content"][0]["type"] == "text"
    else:
        assert "structuredContent" not in projected
        assert "outputSchema" not in advertised
        assert projected["content"][0]["type"] == "text"


def test_structured_objects_travel_as_they_are(revision: Revision) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    result = {"content": [{"type": "text", "text": '{"a":1}'}], "structuredContent": {"a": 1}}
    projected = respond(revision, "tools/call", result, output_schema=schema)
    assert projected["content"] == result["content"]
    assert projected.get("structuredContent") == (None if revision.date in OLD else {"a": 1})


def test_an_error_result_without_an_object_stays_an_error() -> None:
    from mcp_server.protocol.revisions.revision_2025_11_25 import Revision20251125

    result = {"content": [], "structuredContent": None, "isError": True}
    projected = respond(Revision20251125(), "tools/call", result, output_schema={"type": "object"})
    assert "structuredContent" not in projected
    assert projected["content"] == [{"type": "text", "text": "null"}]


def test_wrapped_output_schema_resolves_its_references(tool: dict[str, Any]) -> None:
    import jsonschema_rs

    from mcp_server.protocol.revisions.revision_2025_11_25 import Revision20251125

    validator = jsonschema_rs.Draft202012Validator(Revision20251125().project_tool(tool)["outputSchema"])
    assert validator.is_valid({"result": [1]})
    assert not validator.is_valid({"result": ["a"]})


def test_read_results_are_valid(revision: Revision) -> None:
    contents = [{"uri": "file:///a", "text": "x", "_meta": {"a/b": 1}}, {"uri": "file:///b", "blob": "AA=="}]
    projected = respond(revision, "resources/read", {"contents": contents})
    assert ("_meta" in projected["contents"][0]) == (revision.date >= "2025-06-18")
    assert ("ttlMs" in projected) == revision.is_modern


def test_completions_and_empty_results_are_valid(revision: Revision) -> None:
    projected = respond(revision, "completion/complete", {"completion": {"values": ["a"], "hasMore": False}})
    assert projected["completion"]["values"] == ["a"]
    if not revision.is_modern:
        assert respond(revision, "ping", {}) == {}
        assert respond(revision, "logging/setLevel", {"resultType": "complete"}) == {}


def test_modern_questions_in_results_carry_no_cache_hints() -> None:
    from mcp_server.protocol.revisions.revision_2026_07_28 import Revision20260728

    asks = {
        "resultType": "input_required",
        "inputRequests": {"q": {"method": "roots/list"}},
        "requestState": "s",
    }
    for method in ("tools/call", "prompts/get", "resources/read"):
        assert "ttlMs" not in respond(Revision20260728(), method, asks)


def test_openings_are_valid(revision: Revision, capabilities: dict[str, Any], server_info: dict[str, Any]) -> None:
    if isinstance(revision, StatelessRevision):
        method = "server/discover"
        result = revision.discover_result(
            supported_versions=["2026-07-28"], capabilities=capabilities, server_info=server_info, instructions="Hi."
        )
        assert "extensions" in result["capabilities"]
        assert "serverInfo" not in result
    else:
        assert isinstance(revision, HandshakeRevision)
        method = "initialize"
        result = revision.initialize_result(capabilities=capabilities, server_info=server_info, instructions="Hi.")
        assert "extensions" not in result["capabilities"]
        assert ("completions" in result["capabilities"]) == (revision.date >= "2025-03-26")
        assert ("websiteUrl" in result["serverInfo"]) == (revision.date >= "2025-11-25")
    SpecValidator(revision.date).response(method, {"jsonrpc": "2.0", "id": 1, "result": result})


def test_notifications_are_those_of_the_schema(revision: Revision) -> None:
    """Tasks are left out: that experiment of one revision is not offered."""
    schema = _schema(revision.date)
    union = schema.get("$defs", schema.get("definitions", {}))["ServerNotification"]["anyOf"]
    named = {member["$ref"].rsplit("/", 1)[1] for member in union} - {"TaskStatusNotification"}
    assert {NOTIFICATIONS[method] for method in revision.server_notifications} == named


def test_requests_to_the_client_are_those_of_the_schema(revision: Revision) -> None:
    schema = _schema(revision.date)
    definitions = schema.get("$defs", schema.get("definitions", {}))
    union = definitions.get("ServerRequest", {"anyOf": []})["anyOf"]
    named = {member["$ref"].rsplit("/", 1)[1] for member in union}
    named = {name for name in named if "Task" not in name}
    assert {REQUESTS[method] for method in revision.server_requests} == named


def test_requests_of_the_client_are_those_of_the_schema(revision: Revision) -> None:
    schema = _schema(revision.date)
    definitions = schema.get("$defs", schema.get("definitions", {}))
    for kind, table in (
        ("ClientRequest", revision.client_requests),
        ("ClientNotification", revision.client_notifications),
    ):
        methods = set()
        entry = definitions[kind]
        for member in entry.get("anyOf", [entry]):
            # One notification is left in the last revision, so there the union is that notification itself.
            definition = definitions[member["$ref"].rsplit("/", 1)[1]] if "$ref" in member else member
            methods.add(definition["properties"]["method"]["const"])
        assert table == {method for method in methods if "tasks/" not in method}


def test_progress_has_words_since_2025_03_26(revision: Revision) -> None:
    params = {"progressToken": "t", "progress": 1, "total": 2, "message": "half"}
    projected = revision.project_notification("notifications/progress", params)
    SpecValidator(revision.date).notification(
        {"jsonrpc": "2.0", "method": "notifications/progress", "params": projected}
    )
    assert projected is not None
    assert ("message" in projected) == (revision.date >= "2025-03-26")
    assert revision.project_notification("notifications/of/tomorrow", {}) is None


def ask(revision: Revision, method: str, params: dict[str, Any]) -> None:
    if revision.is_modern:
        result = {"resultType": "input_required", "inputRequests": {"q": {"method": method, "params": params}}}
        SpecValidator(revision.date).response("tools/call", {"jsonrpc": "2.0", "id": 1, "result": result})
    else:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        SpecValidator(revision.date).server_request(message)


FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "a", "maxLength": 3},
        "plain": {"type": "string", "enum": ["x", "y"], "default": "x"},
        "titled": {"type": "string", "oneOf": [{"const": "x", "title": "X"}], "default": "x"},
        "sure": {"type": "boolean", "default": True},
        "age": {"type": "integer", "minimum": 0, "default": 3},
    },
    "required": ["name"],
}


def test_forms_are_put_in_the_words_of_the_revision(revision: Revision) -> None:
    params = {"mode": "form", "message": "Who?", "requestedSchema": FORM}
    if not revision.supports_elicitation:
        with pytest.raises(CapabilityMissingError) as caught:
            revision.project_elicitation(params, elicitation_id="e")
        assert caught.value.capabilities == {"elicitation": {}}
        return
    projected = revision.project_elicitation(params, elicitation_id="e")
    ask(revision, "elicitation/create", projected)
    properties = projected["requestedSchema"]["properties"]
    if revision.date == "2025-06-18":
        assert "mode" not in projected
        assert properties["titled"] == {"type": "string", "enum": ["x"], "enumNames": ["X"]}
        assert "default" not in properties["name"]
        assert properties["sure"]["default"] is True
    else:
        assert properties == FORM["properties"]


def test_several_choices_at_once_need_2025_11_25(revision: Revision) -> None:
    several = {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}
    params = {"message": "Which?", "requestedSchema": {"type": "object", "properties": {"x": several}}}
    if revision.date < "2025-11-25":
        with pytest.raises(CapabilityMissingError):
            revision.project_elicitation(params, elicitation_id="e")
    else:
        projected = revision.project_elicitation(params, elicitation_id="e")
        ask(revision, "elicitation/create", projected)
        assert projected["requestedSchema"]["properties"]["x"] == several


def test_questions_by_url_carry_an_id_at_2025_11_25_only(revision: Revision) -> None:
    params = {"mode": "url", "message": "Sign in", "url": "https://example.org/"}
    if not revision.supports_url_elicitation:
        with pytest.raises(CapabilityMissingError):
            revision.project_elicitation(params, elicitation_id="e")
        return
    projected = revision.project_elicitation(params, elicitation_id="e")
    ask(revision, "elicitation/create", projected)
    assert ("elicitationId" in projected) == (revision.date == "2025-11-25")


def test_sampling_is_put_in_the_words_of_the_revision(revision: Revision) -> None:
    several = [{"type": "text", "text": "a"}, {"type": "audio", "data": "AAAA", "mimeType": "audio/wav"}]
    params = {"messages": [{"role": "user", "content": several}], "maxTokens": 9, "toolChoice": {"mode": "none"}}
    projected = revision.project_sampling(params)
    ask(revision, "sampling/createMessage", projected)
    if revision.supports_sampling_tools:
        assert projected == params
    else:
        assert len(projected["messages"]) == 2
        assert "toolChoice" not in projected


def test_sampling_with_tools_needs_2025_11_25(revision: Revision) -> None:
    tool = {"name": "t", "inputSchema": {"type": "object"}}
    use = {"type": "tool_use", "id": "1", "name": "t", "input": {}}
    offers = {"messages": [{"role": "user", "content": {"type": "text", "text": "a"}}], "maxTokens": 9, "tools": [tool]}
    uses = {"messages": [{"role": "assistant", "content": [use]}], "maxTokens": 9}
    for params in (offers, uses):
        if revision.supports_sampling_tools:
            assert revision.project_sampling(params) == params
        else:
            with pytest.raises(CapabilityMissingError):
                revision.project_sampling(params)


def test_a_missing_resource_has_the_code_of_its_revision(revision: Revision) -> None:
    error = revision.resource_not_found("file:///a")
    assert error.code == (-32602 if revision.is_modern else -32002)
    assert error.data == {"uri": "file:///a"}
    wire = {"code": error.code, "message": error.message, "data": error.data}
    SpecValidator(revision.date).error({"jsonrpc": "2.0", "id": 1, "error": wire})


@pytest.mark.parametrize("code", [-32002, -32042, -32020, -32021, -32022, -32601, 4030])
def test_no_error_code_crosses_the_eras(revision: Revision, code: int) -> None:
    data = {
        -32021: {"requiredCapabilities": {"sampling": {}}},
        -32022: {"supported": ["2026-07-28"], "requested": "x"},
        -32042: {"elicitations": []},
    }.get(code)
    projected, kept = revision.project_error(code, data)
    error: dict[str, Any] = {"code": projected, "message": "m"}
    if kept is not None:
        error["data"] = kept
    checked = SpecValidator(revision.date).error({"jsonrpc": "2.0", "id": 1, "error": error})
    assert checked["error"]["code"] == projected


def test_only_2025_03_26_has_batches(revision: Revision) -> None:
    assert revision.supports_batch == (revision.date == "2025-03-26")


def test_modern_members_do_not_leak_into_a_handshake(revision: Revision, server_info: dict[str, Any]) -> None:
    modern = {
        "tools": [],
        "resultType": "complete",
        "ttlMs": 5,
        "cacheScope": "public",
        "_meta": {"io.modelcontextprotocol/serverInfo": server_info},
    }
    projected = respond(revision, "tools/list", modern)
    assert projected == (modern if revision.is_modern else {"tools": []})
    kept = respond(revision, "tools/list", {**modern, "_meta": {**modern["_meta"], "a/b": 1}})
    assert kept["_meta"]["a/b"] == 1


def test_a_titled_link_without_more_is_still_told() -> None:
    from mcp_server.protocol.revisions.revision_2024_11_05 import Revision20241105

    assert Revision20241105().project_block({**LINK, "title": "B"}) == {"type": "text", "text": "B: file:///b"}
