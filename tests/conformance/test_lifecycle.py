"""Handshake, discovery, and two eras on one pipe."""

from __future__ import annotations

from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import CAPABILITIES, SERVER_INFO, VERSION, Wire
from tests.support.spec_validator import MODERN

NEWEST = "2025-11-25"
HELLO: dict[str, Any] = {"capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}


def date_of(wire: Wire) -> str | None:
    return None if wire.connection.session is None else wire.connection.session.revision.date


def modern(wire: Wire) -> Wire:
    """Return the same wire, speaking the modern revision from now on."""
    wire.revision = MODERN
    return wire


# initialize


@covers("initialize.version-echoed")
async def test_served_version_is_echoed(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    assert (await wire.shake_hands())["protocolVersion"] == desk.revision
    assert date_of(wire) == desk.revision


@covers("initialize.version-unknown")
async def test_unknown_version(desk: Desk) -> None:
    for version in ("1999-01-01", "2099-12-31", "", "2024-10-07", "x" * 300):
        wire = await desk.connect(shake_hands=False)
        assert (await wire.result("initialize", wire.hello(version or " ")))["protocolVersion"] == NEWEST


@covers("initialize.version-modern")
async def test_modern_version_in_a_handshake(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    assert (await wire.result("initialize", wire.hello(MODERN)))["protocolVersion"] == NEWEST


@covers("initialize.version-type")
async def test_version_that_is_no_text(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    for version in (None, 1, ["2025-06-18"], {}):
        assert (await wire.error("initialize", {**HELLO, "protocolVersion": version}))["code"] == -32602
    assert (await wire.error("initialize", HELLO))["code"] == -32602
    assert date_of(wire) is None
    assert (await wire.shake_hands())["protocolVersion"] == desk.revision


@covers("initialize.capabilities-type")
async def test_capabilities_that_are_no_object(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    for capabilities in ([], "roots", None, True):
        error = await wire.error("initialize", {**wire.hello(), "capabilities": capabilities})
        assert error["code"] == -32602
    assert date_of(wire) is None


@covers("initialize.result")
async def test_result_of_initialize(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    result = await wire.shake_hands()
    assert result["instructions"] == "Ask politely."
    capabilities = result["capabilities"]
    assert capabilities["tools"] == {"listChanged": True}
    assert capabilities["prompts"] == {"listChanged": True}
    assert capabilities["resources"] == {"subscribe": True, "listChanged": True}
    assert capabilities["logging"] == {}
    assert "tasks" not in capabilities
    assert set(capabilities) <= {"tools", "prompts", "resources", "logging", "completions"}


@covers("initialize.server-info")
async def test_server_names_itself(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    expected = {"name": "desk", "version": "1.2"}
    if desk.revision >= "2025-06-18":
        expected["title"] = "The desk"
    assert (await wire.shake_hands())["serverInfo"] == expected


@covers("initialize.completions")
async def test_completions_are_declared(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    assert (await wire.shake_hands())["capabilities"]["completions"] == {}


@covers("initialize.twice")
async def test_second_initialize(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"roots": {}})
    session = wire.connection.session
    assert (await wire.error("initialize", wire.hello("2024-11-05")))["code"] == -32600
    assert wire.connection.session is session
    assert date_of(wire) == desk.revision


@covers("initialize.not-cancellable")
async def test_initialize_cannot_be_cancelled(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    wire.cancel("hello")
    wire.start("initialize", wire.hello(), request_id="hello")
    wire.cancel("hello")
    assert "result" in await wire.answer("hello")
    assert date_of(wire) == desk.revision


@covers("initialize.before")
async def test_request_before_initialize(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    for method in ("tools/list", "tools/call", "resources/list", "prompts/get", "logging/setLevel"):
        error = await wire.error(method, {"name": "ring"})
        assert error["code"] == -32600
        assert "initialize" in error["message"]
    assert desk.show.began == []
    await wire.shake_hands()
    assert (await wire.call("ring"))["content"][0]["text"] == "ding"


@covers("initialize.unknown-before")
async def test_unknown_method_before_initialize(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    assert (await wire.error("no/such"))["code"] == -32601
    await wire.shake_hands()


@covers("initialize.served-before-initialized")
async def test_request_between_answer_and_initialized(desk: Desk) -> None:
    wire = await desk.connect(initialized=False)
    assert "tools" in await wire.result("tools/list")
    assert (await wire.call("ring"))["content"][0]["text"] == "ding"


@covers("initialized.no-questions-before")
async def test_no_question_before_initialized(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"elicitation": {}, "sampling": {}, "roots": {}}, initialized=False)
    for tool in ("ask_name", "sample", "roots"):
        result = await wire.call(tool)
        assert result["isError"] is True
        assert "initialized" in result["content"][0]["text"]
    assert wire.questions == []
    wire.notify("notifications/initialized")
    wire.start("tools/call", {"name": "roots"}, request_id="now")
    wire.reply(await wire.question(), {"roots": []})
    assert "isError" not in (await wire.answer("now"))["result"]


@covers("initialized.no-news-before")
async def test_no_news_before_initialized(desk: Desk) -> None:
    wire = await desk.connect(initialized=False)
    before = len(wire.messages)
    desk.show.module.remove_tool("ring")
    desk.show.module.remove_prompt("greet")
    desk.show.module.resource_updated("note:///a")
    await wire.settle()
    assert len(wire.messages) == before
    wire.notify("notifications/initialized")
    desk.show.module.remove_tool("echo")
    assert wire.news("notifications/tools/list_changed") == [{}]


@covers("ping.before-initialize")
async def test_ping_before_initialize(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    assert await wire.result("ping") == {}
    assert date_of(wire) is None


@covers("ping.after")
async def test_ping(desk: Desk) -> None:
    wire = await desk.connect()
    assert await wire.result("ping") == {}
    assert await wire.result("ping", {"_meta": {"progressToken": 1}}) == {}


@covers("ping.during-calls")
async def test_ping_while_tools_run(desk: Desk) -> None:
    wire = await desk.connect()
    for number in range(80):
        wire.start("tools/call", {"name": "slow"}, request_id=f"slow{number}")
    wire.start("ping", request_id="ping")
    assert wire.answered("ping") is not None
    desk.show.gate.set()
    for number in range(80):
        await wire.answer(f"slow{number}")


# Two eras on one pipe


@covers("era.discover-then-initialize")
async def test_probe_then_handshake(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    modern(wire)
    assert (await wire.result("server/discover"))["supportedVersions"] == [MODERN]
    wire.revision = desk.revision
    assert (await wire.shake_hands())["protocolVersion"] == desk.revision
    assert (await wire.call("echo", text="x"))["content"][0]["text"] == "x"


@covers("era.initialize-then-enveloped")
async def test_handshake_then_enveloped(desk: Desk) -> None:
    wire = modern(await desk.connect())
    assert (await wire.call("echo", text="x"))["resultType"] == "complete"
    assert (await wire.error("ping"))["code"] == -32601
    assert "supportedVersions" in await wire.result("server/discover")
    assert date_of(wire) == desk.revision


@covers("era.alternating")
async def test_eras_alternate(desk: Desk) -> None:
    wire = await desk.connect()
    for _ in range(3):
        wire.revision = desk.revision
        assert "resultType" not in await wire.call("count")
        modern(wire)
        assert (await wire.call("count"))["structuredContent"] == {"count": 7}


@covers("era.calls-at-once")
async def test_calls_of_both_eras_at_once(desk: Desk) -> None:
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow"}, request_id="old")
    modern(wire).start("tools/call", {"name": "slow"}, request_id="new")
    await wire.settle()
    assert desk.show.began == ["slow", "slow"]
    desk.show.gate.set()
    assert "resultType" not in (await wire.answer("old"))["result"]
    assert (await wire.answer("new"))["result"]["resultType"] == "complete"


@covers("era.discover-without-envelope")
async def test_discover_without_envelope(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    assert (await wire.error("server/discover"))["code"] == -32601
    await wire.shake_hands()
    assert (await wire.error("server/discover"))["code"] == -32601


@covers("era.legacy-methods-enveloped")
async def test_dropped_methods_enveloped(desk: Desk) -> None:
    wire = await desk.connect()
    for method in ("ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "unknown/method"):
        assert (await wire.error(method, {"level": "info", "uri": "note:///a"}))["code"] == -32601


@covers("era.initialize-enveloped")
async def test_initialize_enveloped(desk: Desk) -> None:
    wire = await desk.connect()
    assert (await wire.error("initialize", wire.hello("2025-11-25")))["code"] == -32601
    assert date_of(wire) is None
    wire.notify("notifications/initialized")
    assert date_of(wire) is None


@covers("era.listen-in-session")
async def test_listen_without_envelope(desk: Desk) -> None:
    wire = await desk.connect()
    assert (await wire.error("subscriptions/listen", {"notifications": {}}))["code"] == -32601


@covers("era.tasks")
async def test_tasks_are_not_offered(desk: Desk) -> None:
    wire = await desk.connect()
    for method in ("tasks/get", "tasks/cancel", "tasks/result", "tasks/list", "tasks/update"):
        assert (await wire.error(method, {"taskId": "1"}))["code"] == -32601


@covers("era.no-memory")
async def test_nothing_is_remembered_of_a_request(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"elicitation": {}})
    assert (await wire.result("tools/call", {"name": "ask_name"}))["resultType"] == "input_required"
    wire.capabilities = {}
    assert (await wire.error("tools/call", {"name": "ask_name"}))["code"] == -32021


# server/discover


@covers("discover.result")
async def test_discover(desk: Desk) -> None:
    wire = await desk.connect()
    result = await wire.result("server/discover")
    assert result["instructions"] == "Ask politely."
    assert result["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}
    assert result["capabilities"]["completions"] == {}


@covers("discover.versions")
async def test_every_listed_version_is_served(desk: Desk) -> None:
    wire = await desk.connect()
    versions = (await wire.result("server/discover"))["supportedVersions"]
    assert versions == [MODERN]
    for version in versions:
        meta = {"_meta": {VERSION: version, CAPABILITIES: {}}}
        wire.post({"jsonrpc": "2.0", "id": version, "method": "tools/list", "params": meta})
        assert "result" in await wire.answer(version)


@covers("discover.server-info")
async def test_server_is_named_in_meta(desk: Desk) -> None:
    result = await (await desk.connect()).result("server/discover")
    assert result["_meta"][SERVER_INFO] == {"name": "desk", "version": "1.2", "title": "The desk"}
    assert "serverInfo" not in result
