"""Listing tools and calling them."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from mcp_server.errors.tool_error import ToolError
from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.showcase import COUNT, NUMBERS, SECRET
from tests.conformance.wire import Wire

ICONS = [{"src": "https://example.org/icon.png", "mimeType": "image/png", "sizes": ["48x48"]}]
SOUND = b64encode(b"sound").decode()
PICTURE = b64encode(b"picture").decode()


async def tool(wire: Wire, name: str = "decorated") -> dict[str, Any]:
    """Return the entry of a tool."""
    return {entry["name"]: entry for entry in (await wire.result("tools/list"))["tools"]}[name]


def text(result: dict[str, Any]) -> str:
    assert [block["type"] for block in result["content"]] == ["text"]
    return str(result["content"][0]["text"])


# tools/list


@covers("tools.list.entries")
async def test_entries(desk: Desk) -> None:
    wire = await desk.connect()
    tools = (await wire.result("tools/list"))["tools"]
    assert len(tools) > 20
    for entry in tools:
        assert entry["name"]
        assert entry["description"]
        assert entry["inputSchema"]["type"] == "object"


@covers("tools.list.order")
async def test_order(desk: Desk) -> None:
    names = [
        [entry["name"] for entry in (await (await desk.connect()).result("tools/list"))["tools"]] for _ in range(3)
    ]
    assert names[0] == names[1] == names[2]
    registered = [name for name in desk.show.module.tools if name != "hidden"]
    assert names[0] == registered


@covers("tools.list.permitted-only")
async def test_only_what_may_be_used(desk: Desk) -> None:
    wire = await desk.connect()
    names = [entry["name"] for entry in (await wire.result("tools/list"))["tools"]]
    assert "hidden" not in names
    assert "ring" in names
    desk.reload(allow=("FILE_READ *.txt",))
    assert "ring" not in [entry["name"] for entry in (await wire.result("tools/list"))["tools"]]


@covers("tools.list.profile-filter")
async def test_what_the_profile_does_not_show(desk: Desk) -> None:
    wire = await desk.connect()
    desk.reload(extra='tools = ["echo", "co*", "cha*"]')
    names = [entry["name"] for entry in (await wire.result("tools/list"))["tools"]]
    assert names == ["echo", "count", "chatter"]
    assert (await wire.error("tools/call", {"name": "ring"}))["code"] == -32602
    assert desk.show.began == []


@covers("tools.list.schema-verbatim")
async def test_input_schema_as_written(desk: Desk) -> None:
    entry = await tool(await desk.connect())
    assert entry["inputSchema"] == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/a"}, "b": True},
        "$defs": {"a": {"type": "integer"}},
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        "additionalProperties": False,
    }


@covers("tools.list.output-schema-any")
async def test_output_schema_of_any_root(desk: Desk) -> None:
    wire = await desk.connect()
    assert (await tool(wire, "numbers"))["outputSchema"] == NUMBERS
    assert (await tool(wire, "nothing"))["outputSchema"] == {"type": ["null", "string"]}


@covers("tools.list.output-schema-wrapped")
async def test_output_schema_is_wrapped(desk: Desk) -> None:
    wire = await desk.connect()
    schema = (await tool(wire, "numbers"))["outputSchema"]
    assert schema["type"] == "object"
    assert schema["required"] == ["result"]
    assert schema["properties"]["result"]["type"] == "array"
    assert schema["properties"]["result"]["items"] == {"$ref": "#/properties/result/$defs/number"}


@covers("tools.list.output-schema-object")
async def test_output_schema_of_an_object(desk: Desk) -> None:
    assert (await tool(await desk.connect(), "count"))["outputSchema"] == COUNT


@covers("tools.list.output-schema-absent")
async def test_no_output_schema(desk: Desk) -> None:
    wire = await desk.connect()
    for entry in (await wire.result("tools/list"))["tools"]:
        assert "outputSchema" not in entry


@covers("tools.list.title")
async def test_title(desk: Desk) -> None:
    assert (await tool(await desk.connect()))["title"] == "A decorated tool"


@covers("tools.list.no-title")
async def test_no_title(desk: Desk) -> None:
    assert "title" not in await tool(await desk.connect())


@covers("tools.list.annotations")
async def test_annotations(desk: Desk) -> None:
    entry = await tool(await desk.connect())
    assert entry["annotations"] == {"title": "Decorated", "readOnlyHint": True, "openWorldHint": False}


@covers("tools.list.no-annotations")
async def test_no_annotations(desk: Desk) -> None:
    assert set(await tool(await desk.connect())) == {"name", "description", "inputSchema"}


@covers("tools.list.icons")
async def test_icons(desk: Desk) -> None:
    assert (await tool(await desk.connect()))["icons"] == ICONS


@covers("tools.list.no-icons")
async def test_no_icons(desk: Desk) -> None:
    assert "icons" not in await tool(await desk.connect())


@covers("tools.list.meta")
async def test_meta(desk: Desk) -> None:
    assert (await tool(await desk.connect()))["_meta"] == {"example.org/level": 3}


@covers("tools.list.no-meta")
async def test_no_meta(desk: Desk) -> None:
    assert "_meta" not in await tool(await desk.connect())


# tools/call


@covers("tools.call.text")
async def test_text(desk: Desk) -> None:
    wire = await desk.connect()
    result = await wire.call("echo", text="hé\nllo", times=2)
    assert result["content"] == [{"type": "text", "text": "hé\nllohé\nllo"}]
    assert "isError" not in result
    assert "structuredContent" not in result


@covers("tools.call.sync")
async def test_handler_in_a_thread(desk: Desk) -> None:
    assert text(await (await desk.connect()).call("double", number=21)) == "42"


@covers("tools.call.no-arguments")
async def test_without_arguments(desk: Desk) -> None:
    wire = await desk.connect()
    assert text(await wire.result("tools/call", {"name": "ring"})) == "ding"


@covers("tools.call.structured")
async def test_structured_content(desk: Desk) -> None:
    wire = await desk.connect()
    for name, value in (("count", {"count": 7}), ("free", {"free": True})):
        result = await wire.call(name)
        assert result["structuredContent"] == value
        assert text(result).replace(" ", "") == str(value).replace("'", '"').replace("True", "true").replace(" ", "")


@covers("tools.call.structured-absent")
async def test_no_structured_content(desk: Desk) -> None:
    wire = await desk.connect()
    for name, expected in (("count", '{"count":7}'), ("numbers", "[1,2,3]"), ("free", '{"free":true}')):
        result = await wire.call(name)
        assert "structuredContent" not in result
        assert text(result) == expected


@covers("tools.call.structured-any")
async def test_structured_content_of_any_type(desk: Desk) -> None:
    wire = await desk.connect()
    assert (await wire.call("numbers"))["structuredContent"] == [1, 2, 3]
    nothing = await wire.call("nothing")
    assert "structuredContent" in nothing
    assert nothing["structuredContent"] is None


@covers("tools.call.structured-wrapped")
async def test_structured_content_is_wrapped(desk: Desk) -> None:
    wire = await desk.connect()
    numbers = await wire.call("numbers")
    assert numbers["structuredContent"] == {"result": [1, 2, 3]}
    assert text(numbers) == "[1,2,3]"
    assert (await wire.call("nothing"))["structuredContent"] == {"result": None}


@covers("tools.call.output-checked")
async def test_result_against_its_own_schema(desk: Desk) -> None:
    wire = await desk.connect()
    result = await wire.call("wrong")
    assert result["isError"] is True
    assert "structuredContent" not in result
    assert SECRET not in str(result)
    assert "error id" in text(result)


@covers("tools.call.content-whole")
async def test_all_kinds_of_content(desk: Desk) -> None:
    blocks = (await (await desk.connect()).call("media"))["content"]
    assert [block["type"] for block in blocks] == ["text", "image", "audio", "resource_link", "resource", "resource"]
    assert (blocks[1]["data"], blocks[1]["mimeType"]) == (PICTURE, "image/png")
    assert (blocks[2]["data"], blocks[2]["mimeType"]) == (SOUND, "audio/wav")
    assert blocks[3] == {
        "type": "resource_link",
        "uri": "note:///a",
        "name": "a",
        "title": "The letter A",
        "description": "first",
        "mimeType": "text/plain",
    }
    assert blocks[4]["resource"] == {"uri": "note:///b", "mimeType": "text/plain", "text": "contents"}
    assert blocks[5]["resource"]["blob"] == b64encode(b"bytes").decode()


@covers("tools.call.content-march")
async def test_content_of_march(desk: Desk) -> None:
    blocks = (await (await desk.connect()).call("media"))["content"]
    assert [block["type"] for block in blocks] == ["text", "image", "audio", "text", "resource", "resource"]
    assert "note:///a" in blocks[3]["text"]
    assert "The letter A" in blocks[3]["text"]


@covers("tools.call.content-first")
async def test_content_of_the_first_revision(desk: Desk) -> None:
    blocks = (await (await desk.connect()).call("media"))["content"]
    assert [block["type"] for block in blocks] == ["text", "image", "resource", "text", "resource", "resource"]
    assert blocks[2]["resource"]["blob"] == SOUND
    assert blocks[2]["resource"]["mimeType"] == "audio/wav"
    assert "note:///a" in blocks[3]["text"]


@covers("tools.call.block-annotations")
async def test_annotations_of_blocks(desk: Desk) -> None:
    blocks = (await (await desk.connect()).call("media"))["content"]
    expected: dict[str, Any] = {"audience": ["user"], "priority": 0.5}
    if desk.revision >= "2025-06-18":
        expected["lastModified"] = "2026-01-31T12:00:00Z"
    for block in blocks[:3]:
        assert block["annotations"] == expected


@covers("tools.call.block-meta")
async def test_meta_of_blocks(desk: Desk) -> None:
    blocks = (await (await desk.connect()).call("media"))["content"]
    assert blocks[0]["_meta"] == {"example.org/x": 1}


@covers("tools.call.no-block-meta")
async def test_no_meta_of_blocks(desk: Desk) -> None:
    blocks = (await (await desk.connect()).call("media"))["content"]
    assert not any("_meta" in block or "_meta" in block.get("resource", {}) for block in blocks)


@covers("tools.call.removed-meanwhile")
async def test_tool_is_withdrawn_while_it_runs(desk: Desk) -> None:
    wire = await desk.connect()

    async def vanish(client: Any, params: Any) -> Any:
        desk.show.module.remove_tool("vanish")
        return {"gone": True}

    desk.show.module.register_tool(
        name="vanish",
        description="Go.",
        input_schema={"type": "object"},
        handler=vanish,
        output_schema={"type": "object"},
    )
    assert text(await wire.call("vanish")) == '{"gone":true}'
    assert (await wire.error("tools/call", {"name": "vanish"}))["code"] == -32602


# Errors


@covers("tools.error.unknown")
async def test_unknown_tool(desk: Desk) -> None:
    wire = await desk.connect()
    for name in ("nosuch", "", "Echo", "echo ", "x" * 5000):
        assert (await wire.error("tools/call", {"name": name, "arguments": {}}))["code"] == -32602


@covers("tools.error.hidden")
async def test_hidden_tool_is_answered_like_an_unknown_one(desk: Desk) -> None:
    wire = await desk.connect()
    for arguments in ({}, {"text": "x"}, {"wrong": 1}):
        assert await wire.answers_alike(
            "tools/call", lambda name, given=arguments: {"name": name, "arguments": given}, "hidden", "hiddem"
        )


@covers("tools.error.no-name")
async def test_call_without_a_name(desk: Desk) -> None:
    wire = await desk.connect()
    for params in ({}, {"name": None}, {"name": 5}, {"name": ["echo"]}, {"arguments": {}}):
        assert (await wire.error("tools/call", params))["code"] == -32602


@covers("tools.error.arguments-type")
async def test_arguments_that_are_no_object(desk: Desk) -> None:
    wire = await desk.connect()
    for arguments in ([], "text", 1, None, True):
        error = await wire.error("tools/call", {"name": "ring", "arguments": arguments})
        assert error["code"] == -32602
    assert desk.show.began == []


@covers("tools.error.invalid-arguments")
async def test_arguments_against_the_schema(desk: Desk) -> None:
    wire = await desk.connect()
    for arguments in ({}, {"text": 5}, {"text": "x", "times": "many"}, {"text": "x", "times": True}):
        result = await wire.call("echo", **arguments)
        assert result["isError"] is True
        assert "'text'" in text(result) or "'times'" in text(result)
    assert (await wire.call("decorated", a="x"))["isError"] is True


@covers("tools.error.unknown-argument")
async def test_unknown_argument(desk: Desk) -> None:
    result = await (await desk.connect()).call("echo", text="x", tims=2)
    assert result["isError"] is True
    assert "'tims'" in text(result)
    assert "'times'" in text(result)


@covers("tools.error.said")
async def test_error_that_a_handler_says(desk: Desk) -> None:
    result = await (await desk.connect()).call("fails")
    assert result["isError"] is True
    assert text(result) == "there is no such note; list_notes shows them"
    assert issubclass(ToolError, Exception)


@covers("tools.error.masked")
async def test_other_exception_is_masked(desk: Desk) -> None:
    result = await (await desk.connect()).call("breaks")
    assert result["isError"] is True
    assert "hunter2" not in str(result)
    assert "Traceback" not in str(result)
    error_id = result["_meta"]["dev.mcpserver/error"]["errorId"]
    assert error_id in text(result)
    assert [each for each in desk.records if each.get("call") == error_id][-1][
        "err"
    ] == "OperationFailedError:ValueError"


@covers("tools.error.cancelled-inside")
async def test_wait_of_a_handler_was_cancelled(desk: Desk) -> None:
    wire = await desk.connect()
    ids = [wire.start("tools/call", {"name": name}) for name in ("ring", "loses", "ring", "loses", "ring")]
    results = [(await wire.answer(each))["result"] for each in ids]
    assert [result.get("isError", False) for result in results] == [False, True, False, True, False]
    assert "error id" in text(results[1])
    assert text(await wire.call("ring")) == "ding"


@covers("tools.error.cancels-itself")
async def test_handler_cancels_its_own_task(desk: Desk) -> None:
    wire = await desk.connect()
    calls = [("ring", {}), ("cancels_itself", {"at_once": True}), ("ring", {}), ("cancels_itself", {"at_once": False})]
    ids = [wire.start("tools/call", {"name": name, "arguments": given}) for name, given in (*calls, ("ring", {}))]
    results = [(await wire.answer(each))["result"] for each in ids]
    assert [result.get("isError", False) for result in results] == [False, True, False, True, False]
    assert text(await wire.call("ring")) == "ding"


@covers("tools.error.exit")
async def test_handler_wants_to_end_the_process(desk: Desk) -> None:
    wire = await desk.connect()
    ids = [wire.start("tools/call", {"name": name}) for name in ("exits", "ring")]
    assert (await wire.answer(ids[0]))["result"]["isError"] is True
    assert "result" in await wire.answer(ids[1])


@covers("tools.error.own-result")
async def test_error_result_of_a_handler(desk: Desk) -> None:
    result = await (await desk.connect()).call("denies")
    assert result["isError"] is True
    assert text(result) == "not today"
    assert result["_meta"]["example.org/why"] == "closed"
