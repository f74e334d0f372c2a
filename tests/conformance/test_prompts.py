"""Prompts and completion."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import Wire


async def listed(wire: Wire) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in (await wire.result("prompts/list"))["prompts"]}


@covers("prompts.list")
async def test_list(desk: Desk) -> None:
    entries = await listed(await desk.connect())
    assert list(entries) == ["greet", "scene", "about_note", "asking_prompt", "breaking_prompt"]
    assert [each["name"] for each in entries["greet"]["arguments"]] == ["name", "tone"]
    assert "arguments" not in entries["scene"]


@covers("prompts.list.fields")
async def test_fields_of_an_entry(desk: Desk) -> None:
    name: dict[str, Any] = {"name": "name", "description": "Whom to greet.", "required": True}
    expected: dict[str, Any] = {"name": "greet", "description": "Greet somebody."}
    if desk.revision >= "2025-06-18":
        name["title"] = "Name"
        expected |= {"title": "Greeting", "_meta": {"example.org/level": 3}}
    if desk.revision >= "2025-11-25":
        icon = {"src": "https://example.org/icon.png", "mimeType": "image/png", "sizes": ["48x48"]}
        expected["icons"] = [icon]
    expected["arguments"] = [name, {"name": "tone", "description": "How."}]
    assert (await listed(await desk.connect()))["greet"] == expected


@covers("prompts.list.permitted-only")
async def test_only_what_may_be_used(desk: Desk) -> None:
    wire = await desk.connect()
    assert "hidden_prompt" not in await listed(wire)
    desk.reload(allow=(), ask=())
    assert "about_note" not in await listed(wire)


@covers("prompts.get")
async def test_get(desk: Desk) -> None:
    wire = await desk.connect()
    result = await wire.result("prompts/get", {"name": "greet", "arguments": {"name": "Ada", "tone": "dry"}})
    assert result["description"] == "Greet somebody."
    content = {"type": "text", "text": "Write a dry greeting for Ada."}
    assert result["messages"] == [{"role": "user", "content": content}]


@covers("prompts.get.default")
async def test_optional_argument(desk: Desk) -> None:
    wire = await desk.connect()
    result = await wire.result("prompts/get", {"name": "greet", "arguments": {"name": "Ada"}})
    assert "a warm greeting" in result["messages"][0]["content"]["text"]


@covers("prompts.get.unknown")
async def test_unknown_prompt(desk: Desk) -> None:
    wire = await desk.connect()
    for params in ({"name": "nosuch"}, {"name": ""}, {"name": "Greet"}, {}, {"name": 5}, {"name": None}):
        assert (await wire.error("prompts/get", params))["code"] == -32602


@covers("prompts.get.hidden")
async def test_hidden_prompt(desk: Desk) -> None:
    wire = await desk.connect()
    assert await wire.answers_alike("prompts/get", lambda name: {"name": name}, "hidden_prompt", "hidden_prompx")


@covers("prompts.get.missing-argument")
async def test_missing_argument(desk: Desk) -> None:
    wire = await desk.connect()
    for params in ({"name": "greet"}, {"name": "greet", "arguments": {"tone": "dry"}}):
        error = await wire.error("prompts/get", params)
        assert error["code"] == -32602
        assert "'name'" in error["message"]


@covers("prompts.get.unknown-argument")
async def test_unknown_argument(desk: Desk) -> None:
    wire = await desk.connect()
    error = await wire.error("prompts/get", {"name": "greet", "arguments": {"name": "Ada", "tune": "x"}})
    assert error["code"] == -32602
    assert "'tune'" in error["message"]


@covers("prompts.get.argument-type")
async def test_argument_that_is_no_text(desk: Desk) -> None:
    wire = await desk.connect()
    for value in (1, None, True, ["Ada"], {}):
        assert (await wire.error("prompts/get", {"name": "greet", "arguments": {"name": value}}))["code"] == -32602
    for arguments in ([], "Ada", None, 1):
        assert (await wire.error("prompts/get", {"name": "greet", "arguments": arguments}))["code"] == -32602


@covers("prompts.get.content")
async def test_blocks_of_messages(desk: Desk) -> None:
    messages = (await (await desk.connect()).result("prompts/get", {"name": "scene"}))["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user", "user", "user"]
    kinds = [message["content"]["type"] for message in messages]
    sound = "resource" if desk.revision == "2024-11-05" else "audio"
    link = "text" if desk.revision < "2025-06-18" else "resource_link"
    assert kinds == ["text", "image", sound, link, "resource"]
    assert ("lastModified" in messages[0]["content"]["annotations"]) == (desk.revision >= "2025-06-18")


@covers("prompts.get.masked")
async def test_bug_of_a_prompt(desk: Desk) -> None:
    error = await (await desk.connect()).error("prompts/get", {"name": "breaking_prompt"})
    assert error["code"] == -32603
    assert error["data"]["errorId"] in error["message"]
    assert "hunter2" not in str(error)


# Completion


def completion(kind: str, reference: str, name: str, value: str, **context: Any) -> dict[str, Any]:
    ref = {"type": f"ref/{kind}", "name" if kind == "prompt" else "uri": reference}
    return {"ref": ref, "argument": {"name": name, "value": value}, **context}


async def values(wire: Wire, params: dict[str, Any]) -> dict[str, Any]:
    return (await wire.result("completion/complete", params))["completion"]


@covers("completion.prompt")
async def test_argument_of_a_prompt(desk: Desk) -> None:
    found = await values(await desk.connect(), completion("prompt", "greet", "name", "Ad"))
    assert found["values"][:2] == ["Ad000", "Ad001"]


@covers("completion.template")
async def test_variable_of_a_template(desk: Desk) -> None:
    found = await values(await desk.connect(), completion("resource", "page:///{name}", "name", "in"))
    assert found["values"] == ["index", "intro"]
    assert found["total"] == 2
    assert found["hasMore"] is False


@covers("completion.hundred")
async def test_at_most_a_hundred_values(desk: Desk) -> None:
    found = await values(await desk.connect(), completion("prompt", "greet", "name", ""))
    assert (len(found["values"]), found["total"], found["hasMore"]) == (100, 150, True)


@covers("completion.context")
async def test_other_arguments(desk: Desk) -> None:
    wire = await desk.connect()
    context = {"arguments": {"tone": "!"}}
    found = await values(wire, completion("prompt", "greet", "name", "A", context=context))
    assert found["values"][0] == "A000!"


@covers("completion.no-context")
async def test_context_before_its_time(desk: Desk) -> None:
    wire = await desk.connect()
    for context in ({"arguments": {"tone": "!"}}, [], None):
        found = await values(wire, completion("prompt", "greet", "name", "A", context=context))
        assert found["values"][0] == "A000"


@covers("completion.nobody")
async def test_argument_nobody_completes(desk: Desk) -> None:
    wire = await desk.connect()
    for params in (completion("prompt", "greet", "tone", "d"), completion("prompt", "greet", "nosuch", "d")):
        assert (await values(wire, params))["values"] == []


@covers("completion.unknown-ref")
async def test_unknown_reference(desk: Desk) -> None:
    wire = await desk.connect()
    error = await wire.error("completion/complete", completion("prompt", "nosuch", "name", ""))
    assert error["code"] == -32602
    error = await wire.error("completion/complete", completion("resource", "nosuch:///{x}", "x", ""))
    assert error["code"] == (-32602 if desk.is_modern else -32002)


@covers("completion.hidden-ref")
async def test_hidden_reference(desk: Desk) -> None:
    wire = await desk.connect()
    for argument in ("any", "other"):
        prompt = partial(completion, "prompt", name=argument, value="")
        assert await wire.answers_alike("completion/complete", prompt, "hidden_prompt", "hidden_prompx")
    resource = partial(completion, "resource", name="x", value="")
    assert await wire.answers_alike("completion/complete", resource, "locked:///a", "locked:///b")


@covers("completion.bad-shape")
async def test_malformed_parameters(desk: Desk) -> None:
    wire = await desk.connect()
    good = completion("prompt", "greet", "name", "A")
    for bad in (
        {},
        {**good, "ref": None},
        {**good, "ref": {"type": "ref/tool", "name": "greet"}},
        {**good, "ref": {"type": "ref/prompt", "uri": "greet"}},
        {**good, "argument": {"name": "name"}},
        {**good, "argument": {"name": 1, "value": "A"}},
        {**good, "argument": "name"},
    ):
        assert (await wire.error("completion/complete", bad))["code"] == -32602, bad
    if desk.revision >= "2025-06-18":
        for context in ([], None, {"arguments": {"tone": 1}}, {"arguments": []}, {"arguments": None}):
            bad = {**good, "context": context}
            assert (await wire.error("completion/complete", bad))["code"] == -32602, bad


@covers("completion.undeclared")
async def test_nothing_is_completed(desk: Desk) -> None:
    desk.show.module.completions.clear()
    wire = await desk.connect(shake_hands=False)
    declared = await (wire.result("server/discover") if desk.is_modern else wire.shake_hands())
    assert "completions" not in declared["capabilities"]
    error = await wire.error("completion/complete", completion("prompt", "greet", "name", "A"))
    assert error["code"] == -32601
