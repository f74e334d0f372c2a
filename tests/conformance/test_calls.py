"""What happens around a call: log messages, progress, cancellation, the end of the pipe."""

from __future__ import annotations

from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import LOG_LEVEL, Wire
from tests.support.spec_validator import MODERN

MESSAGE = "notifications/message"
PROGRESS = "notifications/progress"
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


def heard(wire: Wire) -> list[str]:
    """Return the levels of the log messages that have come, and forget them."""
    levels = [params["level"] for params in wire.news(MESSAGE)]
    wire.messages.clear()
    return levels


def level_meta(wire: Wire, level: str = "debug") -> dict[str, str]:
    """Return what makes a modern request hear everything; a session hears `info` and above anyway."""
    return {LOG_LEVEL: level} if wire.is_modern else {}


# Log messages


@covers("logging.level")
async def test_level_of_a_session(desk: Desk) -> None:
    wire = await desk.connect()
    for level in LEVELS:
        assert await wire.result("logging/setLevel", {"level": level}) == {}
        await wire.call("chatter")
        assert heard(wire) == list(LEVELS[LEVELS.index(level) :])


@covers("logging.default")
async def test_without_a_level(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.call("chatter")
    assert heard(wire) == list(LEVELS[1:])


@covers("logging.level-invalid")
async def test_level_that_is_none(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("logging/setLevel", {"level": "alert"})
    for params in ({"level": "loud"}, {"level": 3}, {"level": None}, {}, {"level": "ALERT"}):
        assert (await wire.error("logging/setLevel", params))["code"] == -32602
    await wire.call("chatter")
    assert heard(wire) == ["alert", "emergency"]


@covers("logging.per-request")
async def test_level_of_a_request(desk: Desk) -> None:
    wire = await desk.connect()
    for level in LEVELS:
        await wire.result("tools/call", {"name": "chatter"}, **{LOG_LEVEL: level})
        assert heard(wire) == list(LEVELS[LEVELS.index(level) :])


@covers("logging.silent-without-level")
async def test_request_without_a_level(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("tools/call", {"name": "chatter"}, **{LOG_LEVEL: "debug"})
    assert len(heard(wire)) == 8
    await wire.call("chatter")
    assert heard(wire) == []


@covers("logging.levels-apart")
async def test_session_and_modern_request(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("logging/setLevel", {"level": "debug"})
    wire.revision = MODERN
    await wire.call("chatter")
    assert heard(wire) == []
    wire.revision = desk.revision
    await wire.call("chatter")
    assert len(heard(wire)) == 8


@covers("logging.logger")
async def test_sender_of_a_message(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("tools/call", {"name": "chatter"}, **level_meta(wire))
    for params in wire.news(MESSAGE):
        assert params == {"level": params["level"], "logger": "showcase", "data": {"said": params["level"]}}


@covers("logging.after-answer")
async def test_late_message(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("tools/call", {"name": "late"}, **level_meta(wire))
    (client,) = desk.show.seen
    before = len(wire.messages)
    client.log.error("too late")
    await wire.settle()
    assert len(wire.messages) == before


@covers("logging.declared")
async def test_capability(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    declared = await (wire.result("server/discover") if desk.is_modern else wire.shake_hands())
    assert declared["capabilities"]["logging"] == {}


# Progress


STEPS: list[list[Any]] = [
    [1, 4, "one"],
    [1, 4, "again"],
    [0.5, 4, "back"],
    [2.5, 4, "more"],
    [2.5, None, "again"],
    [4, 4, "all"],
]


async def progress_of(wire: Wire, token: Any, tool: str = "steps", **arguments: Any) -> list[dict[str, Any]]:
    """Call a tool with a token and return the progress that came before the answer."""
    await wire.result("tools/call", {"name": tool, "arguments": arguments}, progressToken=token)
    answer = wire.messages[-1]
    assert "result" in answer
    return wire.news(PROGRESS)


@covers("progress.token")
async def test_token(desk: Desk) -> None:
    for token in ("a token", 7, 0, "", -1):
        wire = await desk.connect()
        reports = await progress_of(wire, token, steps=[[1, 2, None]])
        assert reports == [{"progressToken": token, "progress": 1, "total": 2}]


@covers("progress.no-token")
async def test_without_a_token(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.call("steps", steps=STEPS)
    assert wire.news(PROGRESS) == []


@covers("progress.increasing")
async def test_values_only_grow(desk: Desk) -> None:
    wire = await desk.connect()
    assert [each["progress"] for each in await progress_of(wire, "t", steps=STEPS)] == [1, 2.5, 4]
    assert [each.get("total") for each in wire.news(PROGRESS)] == [4, 4, 4]


@covers("progress.message")
async def test_message(desk: Desk) -> None:
    wire = await desk.connect()
    assert [each["message"] for each in await progress_of(wire, "t", steps=STEPS)] == ["one", "more", "all"]


@covers("progress.no-message")
async def test_no_message(desk: Desk) -> None:
    wire = await desk.connect()
    reports = await progress_of(wire, "t", steps=STEPS)
    assert len(reports) == 3
    assert not any("message" in each for each in reports)


@covers("progress.after-answer")
async def test_nothing_after_the_answer(desk: Desk) -> None:
    wire = await desk.connect()
    assert len(await progress_of(wire, "t", "late")) == 1
    (client,) = desk.show.seen
    before = len(wire.messages)
    client.progress(2)
    desk.pass_time(60)
    await wire.settle()
    assert len(wire.messages) == before


@covers("progress.from-thread")
async def test_from_a_thread(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("tools/call", {"name": "steps_in_thread"}, progressToken="t", **level_meta(wire))
    assert [each["progress"] for each in wire.news(PROGRESS)] == [1, 2, 3]
    assert [each["data"] for each in wire.news(MESSAGE)] == [{"step": 1}, {"step": 2}, {"step": 3}]
    assert "result" in wire.messages[-1]


@covers("progress.heartbeat")
async def test_sign_of_life(desk: Desk) -> None:
    wire = await desk.connect()
    desk.reload(extra="limits = { timeout_seconds = 100 }")
    wire.start("tools/call", {"name": "slow"}, request_id="long", progressToken="t")
    await wire.settle()
    counts = []
    for seconds in (4, 1, 14, 1, 15, 14):
        desk.pass_time(seconds)
        counts.append(len(wire.news(PROGRESS)))
    assert counts == [0, 1, 1, 2, 3, 3]
    values = [each["progress"] for each in wire.news(PROGRESS)]
    assert values == sorted(set(values))
    desk.show.gate.set()
    await wire.answer("long")


@covers("progress.no-heartbeat")
async def test_no_sign_of_life_without_a_token(desk: Desk) -> None:
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow"}, request_id="long")
    await wire.settle()
    before = len(wire.messages)
    for _ in range(4):
        desk.pass_time(5)
    assert len(wire.messages) == before
    desk.show.gate.set()
    await wire.answer("long")


@covers("progress.heartbeat-grows")
async def test_sign_of_life_continues_the_values(desk: Desk) -> None:
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow", "arguments": {"progress": 10}}, request_id="long", progressToken="t")
    await wire.settle()
    desk.pass_time(5)
    desk.pass_time(15)
    values = [each["progress"] for each in wire.news(PROGRESS)]
    assert values[0] == 10
    assert values == sorted(set(values))
    assert len(values) == 3
    assert values[-1] < 10.001
    desk.show.gate.set()
    await wire.answer("long")


# Cancellation


@covers("cancel.running")
async def test_running_call(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    wire.start("tools/call", {"name": "slow"}, request_id="x")
    await wire.settle()
    wire.cancel("x")
    await wire.settle()
    assert desk.show.ended == ["cancelled"]
    assert len(wire.messages) == before


@covers("cancel.at-once")
async def test_cancelled_before_it_began(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    for _ in range(200):
        wire.start("tools/call", {"name": "slow"}, request_id="x")
        wire.cancel("x")
    await wire.settle()
    assert len([each for each in wire.messages[before:] if each.get("error", {}).get("code") != -32600]) == 0
    assert desk.show.began == []
    assert wire.connection.exchanges == {}
    assert (await wire.call("ring"))["content"][0]["text"] == "ding"


@covers("cancel.waiting")
async def test_call_that_waits_for_its_turn(desk: Desk) -> None:
    desk.limit(max_in_flight=1)
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow"}, request_id="first")
    wire.start("tools/call", {"name": "ring"}, request_id="second")
    wire.start("tools/call", {"name": "echo", "arguments": {"text": "x"}}, request_id="third")
    await wire.settle()
    wire.cancel("second")
    desk.show.gate.set()
    await wire.answer("first")
    await wire.answer("third")
    assert desk.show.began == ["slow"]
    assert wire.answered("second") is None


@covers("cancel.unknown")
async def test_unknown_or_finished_request(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.ask("tools/call", {"name": "ring"}, request_id="done")
    before = len(wire.messages)
    for request_id in ("done", "nosuch", 0, -1, 2**63):
        wire.cancel(request_id)
    wire.cancel("done")
    await wire.settle()
    assert len(wire.messages) == before


@covers("cancel.malformed")
async def test_malformed_cancellation(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    wire.start("tools/call", {"name": "slow"}, request_id=1)
    await wire.settle()
    for params in ({}, {"requestId": None}, {"requestId": True}, {"requestId": 1.0}, {"requestId": ["x"]}, {"id": 1}):
        wire.notify("notifications/cancelled", params)
    wire.notify("notifications/cancelled")
    wire.notify("notifications/cancelled", {"requestId": "1"})
    await wire.settle()
    assert desk.show.ended == []
    assert len(wire.messages) == before
    desk.show.gate.set()
    await wire.until(lambda: wire.answers(1)[-1] if len(wire.messages) > before else None, "the answer")


@covers("cancel.stubborn")
async def test_handler_that_ignores_its_cancellation(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    wire.start("tools/call", {"name": "stubborn"}, request_id="x", progressToken="t", **level_meta(wire))
    await wire.settle()
    wire.cancel("x")
    await wire.settle()
    assert desk.show.ended == ["ignored"]
    assert len(wire.messages) == before


@covers("cancel.id-free")
async def test_id_of_a_cancelled_request(desk: Desk) -> None:
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow"}, request_id="x")
    await wire.settle()
    wire.cancel("x")
    await wire.settle()
    assert "result" in await wire.ask("tools/call", {"name": "ring"}, request_id="x")


@covers("cancel.recorded")
async def test_outcome_of_a_cancelled_call(desk: Desk) -> None:
    wire = await desk.connect()
    wire.start("tools/call", {"name": "slow"}, request_id="x")
    await wire.settle()
    wire.cancel("x")
    await wire.settle()
    (intent,) = [each for each in desk.records if each.get("req_id") == "x"]
    kinds = [(each["kind"], each.get("err")) for each in desk.records if each.get("call") == intent["call"]]
    assert kinds == [("call.intent", None), ("call.done", "cancelled")]


@covers("cancel.question")
async def test_question_is_taken_back(desk: Desk) -> None:
    wire = await desk.connect(capabilities={"elicitation": {}})
    wire.start("tools/call", {"name": "ask_name"}, request_id="x")
    question = await wire.question()
    wire.cancel("x")
    await wire.settle()
    assert [each["requestId"] for each in wire.news("notifications/cancelled")] == [question["id"]]
    wire.reply(question, {"action": "accept", "content": {"name": "Ada", "size": "S"}})
    await wire.settle()
    assert desk.show.seen == []
    assert wire.answered("x") is None


# The end


@covers("close.grace")
async def test_grace(desk: Desk) -> None:
    desk.limit(max_in_flight=2)
    wire = await desk.connect()
    ids = [wire.start("tools/call", {"name": "slow"}, request_id=f"x{number}") for number in range(5)]
    await wire.settle()
    assert len(desk.show.began) == 2
    desk.show.gate.set()
    await wire.handler.close(wire.connection, 5.0)
    for each in ids:
        assert wire.answered(each) is not None, each


@covers("close.ends-calls")
async def test_end_of_the_pipe(desk: Desk) -> None:
    desk.limit(max_in_flight=1)
    wire = await desk.connect()
    before = len(wire.messages)
    wire.start("tools/call", {"name": "slow"}, request_id="runs")
    await wire.settle()
    wire.start("tools/call", {"name": "ring"}, request_id="waits")
    await wire.handler.close(wire.connection, 0.0)
    await wire.settle()
    assert desk.show.began == ["slow"]
    assert desk.show.ended == ["cancelled"]
    assert len(wire.messages) == before
    assert wire.connection.exchanges == {}
