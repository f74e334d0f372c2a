"""Refusals on the wire: this library's own codes, and the hints for caches."""

from __future__ import annotations

from typing import Any

from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from tests.conformance.covers import covers
from tests.conformance.desk import LISTS, Desk
from tests.conformance.wire import Wire

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("tools/call", {"name": "ring"}),
    ("prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}),
    ("resources/read", {"uri": "note:///a"}),
]


async def refused(wire: Wire, note: str) -> dict[str, Any]:
    """Call the reading tool and return the details of its refusal, with the text for the model."""
    result = await wire.call("read_note", note=note)
    assert result["isError"] is True
    details: dict[str, Any] = result["_meta"]["dev.mcpserver/error"]
    return {**details, "text": result["content"][0]["text"]}


async def prompt_error(wire: Wire, note: str) -> dict[str, Any]:
    return await wire.error("prompts/get", {"name": "about_note", "arguments": {"note": note}})


# Who calls


@covers("code.unauthenticated")
async def test_client_that_a_reload_removed(desk: Desk) -> None:
    wire = await desk.connect()
    assert "tools" in await wire.result("tools/list")
    desk.reload(clients=("other",))
    for method in LISTS:
        assert (await wire.error(method))["code"] == 4010
    for method, params in CALLS:
        error = await wire.error(method, params)
        assert (error["code"], error["message"]) == (4010, "not authenticated")
        # A stranger learns of no name.
        assert (await wire.error(method, {**params, "name": "nosuch", "uri": "nosuch:///a"})) == error
    assert desk.show.began == []
    desk.reload()
    assert (await wire.call("ring"))["content"][0]["text"] == "ding"


@covers("code.unauthenticated-ping")
async def test_ping_of_a_removed_client(desk: Desk) -> None:
    wire = await desk.connect()
    desk.reload(clients=("other",))
    assert await wire.result("ping") == {}


# What it may


@covers("code.forbidden-tool")
async def test_forbidden_tool_call(desk: Desk) -> None:
    details = await refused(await desk.connect(), "key.pem")
    assert details["code"] == 4030
    assert details["missing"] == [{"type": "FILE_READ", "resource": "key.pem"}]
    assert "key.pem" in details["text"]
    assert desk.show.began == []
    assert desk.records[-1]["decision"] == "deny"


@covers("code.forbidden")
async def test_forbidden_prompt_and_resource(desk: Desk) -> None:
    wire = await desk.connect()
    for error in (await prompt_error(wire, "key.pem"), await wire.error("resources/read", {"uri": "disk:///key.pem"})):
        assert error["code"] == 4030
        assert error["data"] == {"missing": [{"type": "FILE_READ", "resource": "key.pem"}]}


@covers("code.consent-tool")
async def test_nobody_to_ask(desk: Desk) -> None:
    details = await refused(await desk.connect(), "maybe.ask")
    assert details["code"] == 4031
    assert desk.show.began == []


@covers("code.consent")
async def test_nobody_to_ask_for_prompt_and_resource(desk: Desk) -> None:
    wire = await desk.connect()
    assert (await prompt_error(wire, "maybe.ask"))["code"] == 4031
    assert (await wire.error("resources/read", {"uri": "disk:///maybe.ask"}))["code"] == 4031


async def answered(desk: Desk, content: dict[str, Any]) -> dict[str, Any]:
    """Read a file for which the policy asks, let the human answer, and return the result."""
    wire = await desk.connect(capabilities={"elicitation": {}})
    params = {"name": "read_note", "arguments": {"note": "maybe.ask"}}
    answer = {"action": "accept", "content": content}
    if desk.is_modern:
        result = await wire.result("tools/call", params)
        ((key, question),) = result["inputRequests"].items()
        assert "maybe.ask" in question["params"]["message"]
        retry = {**params, "inputResponses": {key: answer}, "requestState": result["requestState"]}
        return await wire.result("tools/call", retry)
    request_id = wire.start("tools/call", params)
    question = await wire.question()
    assert "maybe.ask" in question["params"]["message"]
    assert desk.show.began == []
    wire.reply(question, answer)
    return (await wire.answer(request_id))["result"]


@covers("code.consent-asked")
async def test_human_agrees(desk: Desk) -> None:
    result = await answered(desk, {"allow": True})
    assert result["content"][0]["text"] == "text of maybe.ask"
    assert "consent.granted" in [each["kind"] for each in desk.records]


@covers("code.consent-declined")
async def test_human_declines(desk: Desk) -> None:
    result = await answered(desk, {"allow": False})
    assert result["isError"] is True
    assert result["_meta"]["dev.mcpserver/error"]["code"] == 4031
    assert desk.show.began == []


# The sandbox


@covers("code.sandbox-tool")
async def test_path_out_of_the_folder(desk: Desk) -> None:
    wire = await desk.connect()
    for note in ("../outside.txt", "/etc/passwd", "a/../../x.txt"):
        details = await refused(wire, note)
        assert (details["code"], details["reason"]) == (4032, "escape")
        assert str(desk.folder) not in details["text"]
    assert desk.show.began == []


@covers("code.sandbox")
async def test_path_out_of_the_folder_for_a_prompt(desk: Desk) -> None:
    error = await prompt_error(await desk.connect(), "../outside.txt")
    assert (error["code"], error["data"]) == (4032, {"reason": "escape"})


# Limits


@covers("code.limit-tool")
async def test_too_many_calls_a_minute(desk: Desk) -> None:
    desk.reload(extra="limits = { calls_per_minute = 2 }")
    wire = await desk.connect()
    results = [await wire.call("ring") for _ in range(3)]
    assert [result.get("isError", False) for result in results] == [False, False, True]
    details = results[2]["_meta"]["dev.mcpserver/error"]
    assert (details["code"], details["limit"], details["retryAfterSeconds"]) == (4290, "calls_per_minute", 30.0)
    desk.clock.advance(30)
    assert "isError" not in await wire.call("ring")


@covers("code.limit")
async def test_too_many_prompts_and_resources(desk: Desk) -> None:
    desk.reload(extra="limits = { calls_per_minute = 2 }")
    wire = await desk.connect()
    for _ in range(2):
        await wire.call("ring")
    for method, params in CALLS[1:]:
        error = await wire.error(method, params)
        assert error["code"] == 4290
        assert error["data"]["retryAfterSeconds"] == 30.0


@covers("code.timeout")
async def test_call_past_its_deadline(desk: Desk) -> None:
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow"}, request_id="x")
    await wire.settle()
    desk.pass_time(29)
    await wire.settle()
    assert desk.show.ended == []
    desk.pass_time(2)
    result = (await wire.answer("x"))["result"]
    assert desk.show.ended == ["cancelled"]
    assert result["isError"] is True
    assert result["_meta"]["dev.mcpserver/error"] == {"code": 4290, "limit": "timeout"}
    assert (await wire.call("ring"))["content"][0]["text"] == "ding"


@covers("code.in-flight")
async def test_more_requests_than_can_wait(desk: Desk) -> None:
    desk.limit(max_in_flight=2, max_waiting=3)
    wire = await desk.connect()
    ids = [wire.start("tools/call", {"name": "slow"}, request_id=f"x{number}") for number in range(7)]
    for each in ids[5:]:
        answer = wire.answered(each)
        assert answer is not None
        assert answer["error"]["code"] == 4290
    await wire.settle()
    assert len(desk.show.began) == 2
    desk.show.gate.set()
    for each in ids[:5]:
        assert "result" in await wire.answer(each)


# What cannot be had


@covers("code.unavailable")
async def test_file_that_is_not_there(desk: Desk) -> None:
    wire = await desk.connect()
    details = await refused(wire, "nosuch.txt")
    assert (details["code"], details["reason"]) == (5031, "missing")
    assert str(desk.folder) not in details["text"]
    assert (await prompt_error(wire, "nosuch.txt"))["code"] == 5031


@covers("code.audit")
async def test_audit_cannot_be_written(desk: Desk) -> None:
    wire = await desk.connect()
    desk.break_audit()
    for method, params in CALLS:
        assert (await wire.error(method, params))["code"] == 5030
    assert desk.show.began == []


@covers("code.audit-before-effect")
async def test_records_and_effects(desk: Desk) -> None:
    wire = await desk.connect()
    kinds_at: list[list[str]] = []

    def note(*_: Any) -> str:
        kinds_at.append([each["kind"] for each in desk.records])
        return "noted"

    async def handle(client: Any, params: Any) -> str:
        return note()

    desk.show.module.register_tool(name="note", description="Note.", input_schema={"type": "object"}, handler=handle)
    wire.on_message = note
    await wire.call("note")
    assert kinds_at[-2][-1] == "call.intent"
    assert kinds_at[-1][-2:] == ["call.intent", "call.done"]


@covers("code.reserved")
async def test_own_codes_lie_outside(desk: Desk) -> None:
    spec = {-32700, -32600, -32601, -32602, -32603, -32002, -32042, -32020, -32021, -32022}
    own = {int(code) for code in ErrorCode} - spec
    assert own
    assert not [code for code in own if -32768 <= code <= -32000]
    wire = await desk.connect()
    desk.reload(clients=("other",))
    assert (await wire.error("tools/list"))["code"] in own


# Caches


@covers("cache.hints")
async def test_hints(desk: Desk) -> None:
    wire = await desk.connect()
    for method in (*LISTS, "server/discover"):
        result = await wire.result(method)
        assert result["ttlMs"] == 0
        assert result["cacheScope"] == "private"
    result = await wire.result("resources/read", {"uri": "note:///a"})
    assert (result["ttlMs"], result["cacheScope"]) == (0, "private")


@covers("cache.private")
async def test_private_on_every_page(desk: Desk) -> None:
    desk.set_page_size(1)
    wire = await desk.connect()
    for method in LISTS:
        result = await wire.result(method)
        scopes = [result["cacheScope"]]
        while "nextCursor" in result:
            result = await wire.result(method, {"cursor": result["nextCursor"]})
            scopes.append(result["cacheScope"])
        assert len(scopes) > 1
        assert set(scopes) == {"private"}


@covers("cache.not-on-calls")
async def test_no_hints_on_calls(desk: Desk) -> None:
    wire = await desk.connect()
    for method, params in CALLS[:2]:
        assert {"ttlMs", "cacheScope"}.isdisjoint(await wire.result(method, params))
