"""Both eras on one pipe: each message is judged by itself, and nothing pins the connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.stdio.raw_server import RawServer, text_of

INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32600, -32601, -32602
UNSUPPORTED_VERSION, MISSING_CAPABILITY = -32022, -32021
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"

LEGACY = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]


def answer_of(question: dict[str, Any], **content: Any) -> dict[str, Any]:
    """Return the parameters with which a call is sent again, its one question answered."""
    (key,) = question["inputRequests"]
    return {
        "inputResponses": {key: {"action": "accept", "content": content}},
        "requestState": question["requestState"],
    }


@pytest.mark.parametrize("revision", LEGACY)
def test_a_session_of_each_date_does_everything(start: Callable[..., RawServer], revision: str) -> None:
    # Each message is checked against the schema of that date; this walks over all kinds of them.
    server = start()
    assert server.result("ping") == {}, "a ping is answered before anything else"
    server.initialize(revision, sampling={}, roots={}, elicitation={})
    names = {tool["name"] for tool in server.result("tools/list")["tools"]}
    assert {"echo", "read_text_file"} <= names
    for name in ("link", "embedded", "structured", "progress", "log"):
        arguments = {"structured": {"city": "Paris"}, "progress": {"steps": 2}, "log": {"text": "x"}}.get(name, {})
        params = {"name": name, "arguments": arguments, "_meta": {"progressToken": f"for {name}"}}
        assert not server.result("tools/call", params).get("isError")
    assert len([each for each in server.kept if each["method"] == "notifications/progress"]) == 2
    assert len([each for each in server.kept if each["method"] == "notifications/message"]) == 2
    server.result("resources/list")
    server.result("resources/templates/list")
    server.result("resources/read", {"uri": "everything://picture"})
    server.result("prompts/list")
    server.result("prompts/get", {"name": "conversation"})
    reference = {"type": "ref/prompt", "name": "haiku"}
    server.result("completion/complete", {"ref": reference, "argument": {"name": "topic", "value": "f"}})
    server.result("logging/setLevel", {"level": "error"})
    server.result("resources/subscribe", {"uri": "everything://counter"})
    server.text("increase")
    assert server.notification("notifications/resources/updated")["params"]["uri"] == "everything://counter"
    server.text("change_lists")
    for kind in ("tools", "prompts", "resources"):
        server.notification(f"notifications/{kind}/list_changed")
    server.result("resources/unsubscribe", {"uri": "everything://counter"})
    call = server.start_call("sample", prompt="?")
    asked = server.notification("sampling/createMessage")
    sampled = {"role": "assistant", "content": {"type": "text", "text": "yes"}, "model": "m"}
    server.send({"jsonrpc": "2.0", "id": asked["id"], "result": sampled})
    assert text_of(server.answer(call)) == "m: yes"
    call = server.start_call("roots")
    asked = server.notification("roots/list")
    server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": [{"uri": "file:///a"}]}})
    assert text_of(server.answer(call)) == "file:///a"
    call = server.start_call("ask", question="Who?")
    if revision >= "2025-06-18":
        asked = server.notification("elicitation/create")
        server.send({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "decline"}})
        assert text_of(server.answer(call)) == "decline"
    else:
        assert server.answer(call)["result"]["isError"] is True
    for method in ("server/discover", "subscriptions/listen", "tasks/list"):
        assert server.answer(server.request(method, {}))["error"]["code"] == METHOD_NOT_FOUND
    again = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    assert server.answer(server.request("initialize", again))["error"]["code"] == INVALID_REQUEST
    assert server.stop() == 0


def test_the_modern_era_needs_no_session(start: Callable[..., RawServer]) -> None:
    server = start()
    able: dict[str, Any] = {"elicitation": {}, "sampling": {}, "roots": {}}
    assert server.result("server/discover", modern={})["supportedVersions"] == ["2026-07-28"]
    assert server.result("tools/list", modern={})["tools"]
    assert server.result("resources/read", {"uri": "everything://greeting"}, modern={})["contents"]
    call = {"name": "ask", "arguments": {"question": "Who?"}}
    question = server.result("tools/call", call, modern=able)
    assert question["resultType"] == "input_required"
    answered = server.result("tools/call", {**call, **answer_of(question, name="Ada", age=36)}, modern=able)
    assert answered["content"][0]["text"] == "Ada is 36"
    # A state that was altered, or that belongs to another call, is refused.
    altered = answer_of(question, name="Ada", age=36)
    altered["requestState"] = altered["requestState"][:-4] + "AAAA"
    refused = server.answer(server.request("tools/call", {**call, **altered}, modern=able))
    assert refused["error"]["code"] == INVALID_PARAMS
    other = {"name": "ask", "arguments": {"question": "Another?"}, **answer_of(question, name="Ada", age=36)}
    assert server.answer(server.request("tools/call", other, modern=able))["error"]["code"] == INVALID_PARAMS
    # Nothing is inferred from an earlier request: this one declares nothing.
    missing = server.answer(server.request("tools/call", call, modern={}))
    assert missing["error"]["code"] == MISSING_CAPABILITY
    assert missing["error"]["data"]["requiredCapabilities"] == {"elicitation": {}}
    for method in ("initialize", "ping", "logging/setLevel", "resources/subscribe"):
        gone = server.answer(server.request(method, {"level": "info", "uri": "everything://counter"}, modern={}))
        assert gone["error"]["code"] == METHOD_NOT_FOUND, method
    assert list(server.kept) == [], "no request and no news that nobody asked for"
    assert server.stop() == 0


def test_an_incomplete_envelope_is_told_what_it_lacks(start: Callable[..., RawServer]) -> None:
    server = start()

    def refused(meta: dict[str, Any]) -> dict[str, Any]:
        error = server.answer(server.request("tools/list", {"_meta": meta}))["error"]
        assert isinstance(error, dict)
        return error

    assert refused({VERSION: "2026-07-28"})["code"] == INVALID_PARAMS
    assert CAPABILITIES in refused({VERSION: "2026-07-28"})["message"]
    unsupported = refused({VERSION: "2099-01-01", CAPABILITIES: {}})
    assert unsupported["code"] == UNSUPPORTED_VERSION
    assert unsupported["data"] == {"supported": ["2026-07-28"], "requested": "2099-01-01"}
    assert refused({VERSION: 5, CAPABILITIES: {}})["code"] == INVALID_PARAMS
    assert server.stop() == 0


def test_both_eras_live_on_one_pipe_and_neither_pins_it(start: Callable[..., RawServer]) -> None:
    server = start()
    assert server.result("server/discover", modern={})["resultType"] == "complete"
    server.initialize("2025-11-25")
    listener = server.request("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, modern={})
    server.notification("notifications/subscriptions/acknowledged")
    legacy, modern = (
        server.start_call("structured", city="Rome"),
        server.start_call("structured", city="Rome", modern={}),
    )
    assert "resultType" not in server.answer(legacy)["result"]
    assert server.answer(modern)["result"]["resultType"] == "complete"
    server.text("change_lists")
    # The session hears of all lists; the listener of the one it asked for, with its name on it.
    heard = [server.notification("notifications/tools/list_changed") for _ in range(2)]
    named = [each["params"]["_meta"] for each in heard if "params" in each]
    assert named == [{"io.modelcontextprotocol/subscriptionId": listener}]
    server.notification("notifications/prompts/list_changed")
    server.notification("notifications/resources/list_changed")
    # The listener takes its subscription back, and hears no more.
    server.notify("notifications/cancelled", {"requestId": listener})
    server.text("change_lists")
    assert "params" not in server.notification("notifications/tools/list_changed")
    assert server.result("ping") == {}
    rest = [each.get("method", each.get("id")) for each in server.kept]
    assert rest == ["notifications/prompts/list_changed", "notifications/resources/list_changed"]
    assert server.stop() == 0


@pytest.mark.parametrize("asked", ["1999-01-01", "2026-07-28", "2099-12-31", "newest"])
def test_a_client_that_asks_for_an_unknown_date_gets_our_newest_session(
    start: Callable[..., RawServer], asked: str
) -> None:
    server = start()
    params = {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}
    assert server.result("initialize", params)["protocolVersion"] == "2025-11-25"
    assert server.stop() == 0


def test_nothing_but_ping_is_served_before_the_session_is_open(start: Callable[..., RawServer]) -> None:
    server = start()
    for method in ("tools/list", "resources/list", "logging/setLevel", "tools/call"):
        refused = server.answer(server.request(method, {"name": "echo", "arguments": {"text": "early"}}))
        assert refused["error"]["code"] == INVALID_REQUEST
    assert server.result("ping") == {}
    assert server.stop() == 0
    assert not [record for record in server.audit_records() if record["kind"].startswith("call.")]
