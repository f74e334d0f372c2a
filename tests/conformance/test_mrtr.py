"""Questions that travel in results, and the sealed state that comes back with the answers."""

from __future__ import annotations

import base64
from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import Wire

ABILITIES: dict[str, Any] = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
GOOD = {"action": "accept", "content": {"name": "Ada", "size": "S"}}
MODEL = {"role": "assistant", "content": {"type": "text", "text": "Indeed."}, "model": "m"}


async def able(desk: Desk, **options: Any) -> Wire:
    return await desk.connect(capabilities=ABILITIES, **options)


async def question_of(
    wire: Wire, method: str = "tools/call", params: dict[str, Any] | None = None
) -> tuple[dict[str, Any], str, str]:
    """Make a request that asks; return the question, its key and the state."""
    result = await wire.result(method, params or {"name": "ask_name"})
    return read(result)


def read(result: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
    assert result["resultType"] == "input_required", result
    ((key, question),) = result["inputRequests"].items()
    return question, key, result["requestState"]


def retry(state: Any, responses: Any, **params: Any) -> dict[str, Any]:
    """Return the parameters of a retried request."""
    return {"name": "ask_name", **params, "requestState": state, "inputResponses": responses}


def text(result: dict[str, Any]) -> str:
    assert result["resultType"] == "complete", result
    return str(result["content"][0]["text"])


@covers("mrtr.question")
async def test_question_in_a_result(desk: Desk) -> None:
    wire = await able(desk)
    question, _, state = await question_of(wire)
    assert question["method"] == "elicitation/create"
    assert question["params"]["message"] == "What is your name?"
    assert question["params"]["requestedSchema"]["required"] == ["name", "size"]
    assert "id" not in question
    assert isinstance(state, str)
    assert desk.show.seen == []


@covers("mrtr.answer")
async def test_retry_with_the_answer(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire)
    assert text(await wire.result("tools/call", retry(state, {key: GOOD}))) == "accept {'name': 'Ada', 'size': 'S'}"
    assert desk.show.began == ["ask_name", "ask_name"]


@covers("mrtr.rounds")
async def test_second_question(desk: Desk) -> None:
    wire = await able(desk)
    _, first, state = await question_of(wire, params={"name": "ask_twice"})
    answer = {first: {"action": "accept", "content": {"one": "1"}}}
    question, second, state = read(await wire.result("tools/call", retry(state, answer, name="ask_twice")))
    assert question["params"]["message"] == "Second, after 1?"
    assert second != first
    answer = {second: {"action": "accept", "content": {"two": True}}}
    assert text(await wire.result("tools/call", retry(state, answer, name="ask_twice"))) == "1 True"


@covers("mrtr.decline")
async def test_declined(desk: Desk) -> None:
    wire = await able(desk)
    for action in ("decline", "cancel"):
        _, key, state = await question_of(wire)
        assert text(await wire.result("tools/call", retry(state, {key: {"action": action}}))) == f"{action} {{}}"


@covers("mrtr.missing-answer")
async def test_answer_is_missing(desk: Desk) -> None:
    wire = await able(desk)
    question, key, state = await question_of(wire)
    for responses in ({}, {"other": GOOD}):
        again, key, state = read(await wire.result("tools/call", retry(state, responses)))
        assert again == question
    again, key, state = read(await wire.result("tools/call", {"name": "ask_name", "requestState": state}))
    assert text(await wire.result("tools/call", retry(state, {key: GOOD}))).startswith("accept")


@covers("mrtr.extra-answer")
async def test_answer_to_no_question(desk: Desk) -> None:
    wire = await able(desk)
    _, first, state = await question_of(wire, params={"name": "ask_twice"})
    # The second question has not been put yet, so nobody can have answered it.
    responses = {first: {"action": "accept", "content": {"one": "1"}}}
    responses |= {f"q{number}": {"action": "accept", "content": {"two": True}} for number in range(1, 5)}
    question, _, _ = read(await wire.result("tools/call", retry(state, responses, name="ask_twice")))
    assert question["params"]["message"] == "Second, after 1?"


@covers("mrtr.answer-without-state")
async def test_answer_without_state(desk: Desk) -> None:
    wire = await able(desk)
    question, key, _ = await question_of(wire)
    params = {"name": "ask_name", "inputResponses": {key: GOOD}}
    assert read(await wire.result("tools/call", params))[0] == question
    assert desk.show.seen == []


@covers("mrtr.malformed-answer")
async def test_malformed_answer(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire)
    for responses in (None, [], "x", 1, True, {key: None}, {key: 5}, {key: [GOOD]}):
        assert (await wire.error("tools/call", retry(state, responses)))["code"] == -32602
    # The state was not used up by what was malformed.
    assert text(await wire.result("tools/call", retry(state, {key: GOOD}))).startswith("accept")


@covers("mrtr.state-altered")
async def test_altered_state(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire)
    raw = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
    for place in range(len(raw)):
        altered = raw[:place] + bytes([raw[place] ^ (1 << place % 8)]) + raw[place + 1 :]
        other = base64.urlsafe_b64encode(altered).rstrip(b"=").decode()
        assert (await wire.error("tools/call", retry(other, {key: GOOD})))["code"] == -32602
    for other in (state[:-4], state + "AAAA", state[4:], "", "A", "=", "\u00e9", state * 2):
        assert (await wire.error("tools/call", retry(other, {key: GOOD})))["code"] == -32602
    assert desk.show.seen == []
    assert text(await wire.result("tools/call", retry(state, {key: GOOD}))).startswith("accept")


@covers("mrtr.state-other-params")
async def test_state_with_other_parameters(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire)
    for params in ({"name": "ask_twice"}, {"arguments": {}}, {"extra": 1}):
        error = await wire.error("tools/call", retry(state, {key: GOOD}, **params))
        assert error["code"] == -32602
    assert desk.show.seen == []


@covers("mrtr.state-other-method")
async def test_state_of_another_method(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire, "prompts/get", {"name": "asking_prompt"})
    assert (await wire.error("tools/call", retry(state, {key: GOOD}, name="asking_prompt")))["code"] == -32602


@covers("mrtr.state-other-principal")
async def test_state_of_another_client(desk: Desk) -> None:
    wire, other = await able(desk), await able(desk, profile="other")
    _, key, state = await question_of(wire)
    assert (await other.error("tools/call", retry(state, {key: GOOD})))["code"] == -32602
    # Another connection of the same client may go on: the revision knows no sessions.
    again = await able(desk)
    assert text(await again.result("tools/call", retry(state, {key: GOOD}))).startswith("accept")


@covers("mrtr.state-same-params")
async def test_parameters_in_another_order(desk: Desk) -> None:
    wire = await able(desk)
    question, key, state = await question_of(wire, params={"name": "ask_name", "arguments": {}, "_meta": {"a": 1}})
    assert question
    params = {"inputResponses": {key: GOOD}, "requestState": state, "arguments": {}, "name": "ask_name"}
    assert text(await wire.result("tools/call", params)).startswith("accept")


@covers("mrtr.state-replayed")
async def test_state_serves_once(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire)
    assert "content" in await wire.result("tools/call", retry(state, {key: GOOD}))
    assert (await wire.error("tools/call", retry(state, {key: GOOD})))["code"] == -32602
    assert (await wire.error("tools/call", retry(state, {key: {"action": "decline"}})))["code"] == -32602
    assert len(desk.show.seen) == 1


@covers("mrtr.state-expired")
async def test_old_state(desk: Desk) -> None:
    wire = await able(desk)
    _, key, young = await question_of(wire)
    _, _, old = await question_of(wire)
    desk.clock.advance(599)
    assert "content" in await wire.result("tools/call", retry(young, {key: GOOD}))
    desk.clock.advance(1)
    assert (await wire.error("tools/call", retry(old, {key: GOOD})))["code"] == -32602


@covers("mrtr.state-opaque")
async def test_state_shows_nothing(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire, params={"name": "ask_twice"})
    answer = {key: {"action": "accept", "content": {"one": "very private"}}}
    _, _, state = read(await wire.result("tools/call", retry(state, answer, name="ask_twice")))
    raw = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
    for word in (b"private", b"asked", b"answers", b"q0", b"exp"):
        assert word not in raw


@covers("mrtr.state-type")
async def test_state_that_is_no_text(desk: Desk) -> None:
    wire = await able(desk)
    for state in (1, [], {}, True):
        assert (await wire.error("tools/call", retry(state, {})))["code"] == -32602


# What the client declared


async def lacking(desk: Desk, tool: str, capabilities: dict[str, Any]) -> Any:
    """Return the capabilities that the error for a call asks for."""
    wire = await desk.connect(capabilities=capabilities)
    error = await wire.error("tools/call", {"name": tool})
    assert error["code"] == -32021
    return error["data"]["requiredCapabilities"]


@covers("mrtr.undeclared-form")
async def test_no_forms(desk: Desk) -> None:
    assert "elicitation" in await lacking(desk, "ask_name", {"sampling": {}})
    assert "elicitation" in await lacking(desk, "ask_name", {"elicitation": {"url": {}}})
    assert await lacking(desk, "ask_pages", {"elicitation": {"form": {}}}) == {"elicitation": {"url": {}}}


@covers("mrtr.undeclared-sampling")
async def test_no_model(desk: Desk) -> None:
    assert await lacking(desk, "sample", {"elicitation": {}}) == {"sampling": {}}


@covers("mrtr.undeclared-sampling-tools")
async def test_model_without_tools(desk: Desk) -> None:
    assert await lacking(desk, "sample_tools", {"sampling": {}}) == {"sampling": {"tools": {}}}
    wire = await desk.connect(capabilities={"sampling": {"tools": {}}})
    question, _, _ = await question_of(wire, params={"name": "sample_tools"})
    assert question["params"]["tools"][0]["name"] == "add"


@covers("mrtr.undeclared-roots")
async def test_no_roots(desk: Desk) -> None:
    assert await lacking(desk, "roots", {"elicitation": {}}) == {"roots": {}}


# The other kinds of question, and who may ask


@covers("mrtr.sampling")
async def test_model(desk: Desk) -> None:
    wire = await able(desk)
    question, key, state = await question_of(wire, params={"name": "sample"})
    assert question["method"] == "sampling/createMessage"
    assert question["params"]["maxTokens"] == 10
    assert text(await wire.result("tools/call", retry(state, {key: MODEL}, name="sample"))) == "Indeed."


@covers("mrtr.roots")
async def test_roots(desk: Desk) -> None:
    wire = await able(desk)
    question, key, state = await question_of(wire, params={"name": "roots"})
    assert question["method"] == "roots/list"
    roots = {"roots": [{"uri": "file:///a"}]}
    assert text(await wire.result("tools/call", retry(state, {key: roots}, name="roots"))) == "file:///a"


@covers("mrtr.roots-nonsense")
async def test_roots_that_are_none(desk: Desk) -> None:
    wire = await able(desk)
    for roots in ({}, {"roots": None}, {"roots": ["file:///a"]}):
        _, key, state = await question_of(wire, params={"name": "roots"})
        assert (await wire.error("tools/call", retry(state, {key: roots}, name="roots")))["code"] == -32602


@covers("mrtr.url")
async def test_page(desk: Desk) -> None:
    wire = await able(desk)
    question, _, _ = await question_of(wire, params={"name": "ask_pages"})
    assert question["params"] == {"mode": "url", "message": "Please sign in", "url": "https://example.org/a"}


@covers("mrtr.prompts")
async def test_prompt_asks(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire, "prompts/get", {"name": "asking_prompt"})
    answer = {key: {"action": "accept", "content": {"topic": "trees"}}}
    result = await wire.result("prompts/get", retry(state, answer, name="asking_prompt"))
    assert result["messages"][0]["content"]["text"] == "Write about trees."


@covers("mrtr.resources")
async def test_resource_asks(desk: Desk) -> None:
    wire = await able(desk)
    _, key, state = await question_of(wire, "resources/read", {"uri": "asking:///a"})
    answer = {key: {"action": "accept", "content": {"topic": "trees"}}}
    params = {"uri": "asking:///a", "requestState": state, "inputResponses": answer}
    assert (await wire.result("resources/read", params))["contents"][0]["text"] == "about trees"


@covers("mrtr.no-requests")
async def test_no_request_is_sent(desk: Desk) -> None:
    wire = await able(desk)
    for tool in ("ask_name", "ask_pages", "sample", "roots"):
        await question_of(wire, params={"name": tool})
    await wire.settle()
    assert wire.questions == []


@covers("mrtr.not-cacheable")
async def test_question_is_not_kept(desk: Desk) -> None:
    wire = await able(desk)
    for method, params in (
        ("resources/read", {"uri": "asking:///a"}),
        ("tools/call", {"name": "ask_name"}),
        ("prompts/get", {"name": "asking_prompt"}),
    ):
        result = await wire.result(method, params)
        assert result["resultType"] == "input_required"
        assert {"ttlMs", "cacheScope"}.isdisjoint(result)
