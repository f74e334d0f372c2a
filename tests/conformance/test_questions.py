"""Questions to the client of a session: real requests, within the call that made them necessary."""

from __future__ import annotations

from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import Wire

FORMS: dict[str, Any] = {"elicitation": {}}
GOOD = {"action": "accept", "content": {"name": "Ada", "size": "S"}}


async def asked(wire: Wire, tool: str, reply: Any = None, *, error: Any = None, number: int = 0) -> dict[str, Any]:
    """Call a tool, answer its one question, and return the result."""
    request_id = wire.start("tools/call", {"name": tool})
    wire.reply(await wire.question(number), reply, error=error)
    return (await wire.answer(request_id))["result"]


async def not_asked(wire: Wire, tool: str) -> str:
    """Call a tool that cannot ask, and return what the model is told."""
    result = await wire.call(tool)
    assert result["isError"] is True
    assert wire.questions == []
    return text(result)


def text(result: dict[str, Any]) -> str:
    return str(result["content"][0]["text"])


# Forms


@covers("elicit.legacy.accept")
async def test_form_is_filled_in(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    result = await asked(wire, "ask_name", GOOD)
    assert text(result) == "accept {'name': 'Ada', 'size': 'S'}"
    (question,) = wire.questions
    assert question["method"] == "elicitation/create"
    assert question["params"]["message"] == "What is your name?"
    assert question["params"]["requestedSchema"]["properties"] == {
        "name": {"type": "string"},
        "size": {"type": "string", "enum": ["S", "L"]},
    }
    assert desk.show.began == ["ask_name"]


@covers("elicit.legacy.decline")
async def test_form_is_declined(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    assert text(await asked(wire, "ask_name", {"action": "decline"})) == "decline {}"


@covers("elicit.legacy.cancel")
async def test_form_is_dismissed(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    assert text(await asked(wire, "ask_name", {"action": "cancel", "content": {"name": "x"}})) == "cancel {}"


@covers("elicit.legacy.error")
async def test_client_answers_with_an_error(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    result = await asked(wire, "ask_name", error={"code": -32603, "message": "no screen"})
    assert result["isError"] is True
    assert "no screen" in text(result)
    assert desk.show.seen == []


@covers("elicit.legacy.bad-content")
async def test_answer_does_not_fit(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    bad: list[Any] = [
        {},
        {"name": "Ada"},
        {"name": 5, "size": "S"},
        {"name": "Ada", "size": "XL"},
        {"name": "Ada", "size": "S", "extra": 1},
        None,
        "Ada",
    ]
    for number, content in enumerate(bad):
        result = await asked(wire, "ask_name", {"action": "accept", "content": content}, number=number)
        assert result["isError"] is True, content
    assert desk.show.seen == []


@covers("elicit.legacy.undeclared")
async def test_client_without_forms(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"sampling": {}})
    assert "elicitation" in await not_asked(wire, "ask_name")


@covers("elicit.legacy.unknown")
async def test_revision_without_forms(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    assert "elicitation" in await not_asked(wire, "ask_name")
    assert "elicitation" in await not_asked(wire, "ask_pages")


@covers("elicit.legacy.empty-is-form")
async def test_empty_declaration(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    assert "elicitation" in await not_asked(wire, "ask_pages")
    assert "isError" not in await asked(wire, "ask_name", GOOD)


@covers("elicit.legacy.url-only")
async def test_client_that_shows_only_pages(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"elicitation": {"url": {}}})
    assert "elicitation" in await not_asked(wire, "ask_name")


@covers("elicit.legacy.url")
async def test_page(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"elicitation": {"form": {}, "url": {}}})
    request_id = wire.start("tools/call", {"name": "ask_pages"})
    first = await wire.question(0)
    wire.reply(first, {"action": "accept"})
    second = await wire.question(1)
    wire.reply(second, {"action": "decline"})
    assert text((await wire.answer(request_id))["result"]) == "accept decline"
    assert [each["params"]["url"] for each in (first, second)] == ["https://example.org/a", "https://example.org/b"]
    assert first["params"]["mode"] == second["params"]["mode"] == "url"
    assert first["params"]["elicitationId"] != second["params"]["elicitationId"]


@covers("elicit.legacy.no-url")
async def test_no_page(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"elicitation": {"form": {}, "url": {}}})
    assert "elicitation" in await not_asked(wire, "ask_pages")


@covers("elicit.legacy.plain-form")
async def test_choices_in_plain_words(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    await asked(wire, "ask_after_default", {"action": "accept", "content": {"size": "L"}})
    assert wire.questions[0]["params"]["requestedSchema"]["properties"]["size"] == {
        "type": "string",
        "enum": ["S", "L"],
        "enumNames": ["Small", "Large"],
    }


@covers("elicit.legacy.rich-form")
async def test_choices_with_titles(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    await asked(wire, "ask_after_default", {"action": "accept", "content": {"size": "L"}})
    size = wire.questions[0]["params"]["requestedSchema"]["properties"]["size"]
    assert size["oneOf"] == [{"const": "S", "title": "Small"}, {"const": "L", "title": "Large"}]
    assert size["default"] == "S"
    result = await asked(wire, "ask_choices", {"action": "accept", "content": {"which": ["a"]}}, number=1)
    assert text(result) == "accept"


@covers("elicit.legacy.unsayable")
async def test_form_without_words(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    assert "elicitation" in await not_asked(wire, "ask_choices")


@covers("elicit.legacy.late")
async def test_second_answer(desk: Desk) -> None:
    wire = await desk.connect(capabilities=FORMS)
    request_id = wire.start("tools/call", {"name": "ask_name"})
    question = await wire.question()
    wire.reply(question, GOOD)
    wire.reply(question, {"action": "decline"})
    wire.reply(question, error={"code": 1, "message": "no"})
    assert text((await wire.answer(request_id))["result"]).startswith("accept")
    before = len(wire.messages)
    wire.reply(question, GOOD)
    await wire.settle()
    assert len(wire.messages) == before


# The model, and roots


ANSWER = {"role": "assistant", "content": {"type": "text", "text": "Indeed."}, "model": "m", "stopReason": "endTurn"}


@covers("sample.legacy")
async def test_question_to_the_model(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"sampling": {}})
    assert text(await asked(wire, "sample", ANSWER)) == "Indeed."
    (question,) = wire.questions
    assert question["method"] == "sampling/createMessage"
    assert question["params"]["messages"] == [{"role": "user", "content": {"type": "text", "text": "Be brief."}}]
    assert question["params"]["maxTokens"] == 10
    assert question["params"]["systemPrompt"] == "You are terse."
    assert question["params"]["temperature"] == 0.5


@covers("sample.legacy.undeclared")
async def test_no_model(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"roots": {}})
    assert "sampling" in await not_asked(wire, "sample")


@covers("sample.legacy.error")
async def test_client_refuses_its_model(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"sampling": {}})
    result = await asked(wire, "sample", error={"code": -1, "message": "User rejected sampling request"})
    assert result["isError"] is True
    assert "User rejected" in text(result)


@covers("sample.legacy.tools-undeclared")
async def test_model_without_tools(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"sampling": {}})
    assert "sampling" in await not_asked(wire, "sample_tools")


@covers("sample.legacy.tools")
async def test_model_with_tools(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"sampling": {"tools": {}}})
    assert text(await asked(wire, "sample_tools", ANSWER)) == "sampled"
    assert wire.questions[0]["params"]["tools"][0]["name"] == "add"
    assert wire.questions[0]["params"]["toolChoice"] == {"mode": "auto"}


@covers("roots.legacy")
async def test_roots(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"roots": {"listChanged": True}})
    assert text(await asked(wire, "roots", {"roots": [{"uri": "file:///a"}, {"uri": "file:///b", "name": "B"}]})) == (
        "file:///a file:///b"
    )
    assert wire.questions[0]["method"] == "roots/list"
    wire.notify("notifications/roots/list_changed")


@covers("roots.legacy.undeclared")
async def test_no_roots(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"sampling": {}})
    assert "roots" in await not_asked(wire, "roots")


@covers("roots.legacy.nonsense")
async def test_roots_that_are_none(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"roots": {}})
    for number, reply in enumerate(({}, {"roots": None}, {"roots": ["file:///a"]}, {"roots": {}})):
        result = await asked(wire, "roots", reply, number=number)
        assert result["isError"] is True
        assert "error id" not in text(result)


@covers("questions.ids")
async def test_equal_looking_ids(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"roots": {}})
    wire.start("tools/call", {"name": "roots"}, request_id="one")
    question = await wire.question()
    assert isinstance(question["id"], str)
    # The same text as the id of a request of the client's own is no answer to anything.
    own = await wire.ask("tools/call", {"name": "ring"}, request_id=question["id"])
    assert text(own["result"]) == "ding"
    wire.reply({"id": 1}, {"roots": []})
    await wire.settle()
    assert wire.answered("one") is None
    wire.reply(question, {"roots": [{"uri": "file:///a"}]})
    assert text((await wire.answer("one"))["result"]) == "file:///a"
