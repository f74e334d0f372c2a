"""The server's side of a handler that runs apart: everything it hears may be a lie."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors.input_required_signal import InputRequiredSignal
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.security.apart.door_desk import MAX_AT_ONCE, MAX_WAITING, DoorDesk
from mcp_server.security.apart.handler_failure import HandlerFailure
from mcp_server.security.client_state import ClientState


class Doors:
    """The doors of one call, as far as these tests go."""

    def __init__(self) -> None:
        self.id = "call-1"
        self.profile = "ada"
        self.state = ClientState()
        self.open = asyncio.Event()
        self.files = self
        self.asked = 0

    async def stat(self, path: str) -> str:
        self.asked += 1
        if path == "wait":
            await self.open.wait()
        if path == "denied":
            raise PermissionDeniedError("not this one", missing=[("FILE_READ", path)])
        if path == "bug":
            raise ZeroDivisionError("a secret of the server")
        if path == "question":
            raise InputRequiredSignal("q0", {"method": "roots/list"})
        if path == "unsendable":
            return lambda: path  # type: ignore[return-value] - that is the point
        return f"stat of {path}"


class Scene:
    def __init__(self) -> None:
        self.doors = Doors()
        self.sent: list[dict[str, Any]] = []
        self.desk = DoorDesk(context=self.doors, send=self._send)  # type: ignore[arg-type] - as far as it is asked
        self._news = asyncio.Event()

    def _send(self, data: bytes) -> None:
        self.sent.append(pickle.loads(data))
        self._news.set()

    def say(self, **said: Any) -> None:
        self.desk.take(json.dumps(said).encode())

    def ask(self, number: int, path: str) -> None:
        self.say(id=number, door="files.stat", arguments={"path": path})

    async def answered(self, count: int) -> None:
        while len(self.sent) < count:
            self._news.clear()
            await self._news.wait()


def play(scenario: Callable[[Scene], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        scene = Scene()
        async with asyncio.timeout(60), scene.desk:
            return await scenario(scene)

    return asyncio.run(main())


def test_a_question_is_answered() -> None:
    async def scenario(scene: Scene) -> None:
        scene.ask(7, "a")
        await scene.answered(1)
        assert scene.sent == [{"id": 7, "value": "stat of a"}]

    play(scenario)


def test_the_result_is_the_outcome_and_what_comes_after_it_is_not_heard() -> None:
    async def scenario(scene: Scene) -> None:
        scene.say(result={"a": 1})
        scene.say(result={"a": 2})
        scene.ask(1, "a")
        assert await scene.desk.outcome == {"a": 1}
        assert scene.doors.asked == 0

    play(scenario)


def test_a_refusal_goes_there_in_parts_and_comes_back_as_itself() -> None:
    async def scenario(scene: Scene) -> None:
        scene.ask(3, "denied")
        await scene.answered(1)
        kind, words, fields = scene.sent[0]["error"]
        assert (kind, words) == (PermissionDeniedError, ("not this one",))
        assert fields["missing"] == (("FILE_READ", "denied"),)
        scene.say(error={"kind": "PermissionDeniedError", "words": ["something else"], "door": 3})
        with pytest.raises(PermissionDeniedError, match="not this one") as caught:
            await scene.desk.outcome
        assert caught.value.missing == (("FILE_READ", "denied"),)

    play(scenario)


@pytest.mark.parametrize("path", ["bug", "unsendable"])
def test_a_bug_of_a_door_is_not_told(path: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(scene: Scene) -> None:
        scene.ask(1, path)
        await scene.answered(1)
        assert scene.sent[0]["error"][:2] == (RuntimeError, ("the door failed; the server's log says why",))

    play(scenario)
    assert "files.stat" in caplog.text


def test_a_question_to_the_client_unwinds_the_call() -> None:
    async def scenario(scene: Scene) -> None:
        scene.ask(1, "question")
        with pytest.raises(InputRequiredSignal):
            await scene.desk.outcome
        assert scene.sent == []

    play(scenario)


def test_so_many_questions_are_answered_at_once_and_so_many_wait() -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(MAX_AT_ONCE + MAX_WAITING):
            scene.ask(number, "wait")
        await asyncio.sleep(0)
        assert scene.doors.asked == MAX_AT_ONCE
        scene.doors.open.set()
        await scene.answered(MAX_AT_ONCE + MAX_WAITING)
        assert {each["id"] for each in scene.sent} == set(range(MAX_AT_ONCE + MAX_WAITING))
        assert not scene.desk.outcome.done()

    play(scenario)


def test_one_question_more_ends_it() -> None:
    async def scenario(scene: Scene) -> None:
        for number in range(MAX_AT_ONCE + MAX_WAITING + 1):
            scene.ask(number, "wait")
        with pytest.raises(ResourceUnavailableError, match="misbehaved"):
            await scene.desk.outcome

    play(scenario)


def test_questions_under_way_end_with_the_desk() -> None:
    scenes: list[Scene] = []

    async def scenario(scene: Scene) -> None:
        scenes.append(scene)
        scene.ask(1, "wait")
        await asyncio.sleep(0)

    play(scenario)
    assert scenes[0].sent == []
    assert scenes[0].desk.outcome.cancelled()


NONSENSE = [
    b"",
    b"null",
    b"7",
    b"[]",
    b"{}",
    b"no JSON",
    b'{"id": 1}',
    b'{"id": "1", "door": "files.stat", "arguments": {}}',
    b'{"id": 1, "door": 7, "arguments": {}}',
    b'{"id": 1, "door": "files.stat", "arguments": []}',
    b'{"id": 1, "door": ["files"], "arguments": {}}',
    b'{"error": 1}',
    b'{"error": []}',
    b'{"error": {}}',
    b'{"error": {"kind": 1}}',
    b'{"error": {"kind": "LimitExceededError", "words": ["one"]}}',
    b'{"error": {"kind": "LimitExceededError", "words": 1}}',
    b'{"error": {"door": [], "kind": "ToolError", "words": ["x"]}}',
    b'{"error": {"kind": "InvalidArgumentsError", "words": 3}}',
    b"[" * 100_000,
    b'{"id": 1, "door": "files.stat", "arguments": ' + b'{"path":' * 10_000,
    b"\x80",
    b'{"id": NaN, "door": "files.stat", "arguments": {}}',
]


@pytest.mark.parametrize("message", NONSENSE, ids=range(len(NONSENSE)))
def test_what_nobody_understands_ends_the_call(message: bytes) -> None:
    async def scenario(scene: Scene) -> None:
        scene.desk.take(message)
        with pytest.raises(ResourceUnavailableError, match="misbehaved"):
            await scene.desk.outcome

    play(scenario)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_message_does_more_than_end_the_call(message: bytes) -> None:
    async def scenario(scene: Scene) -> None:
        scene.desk.take(message)
        if scene.desk.outcome.done():
            assert isinstance(scene.desk.outcome.exception(), (MCPServerError, HandlerFailure))

    play(scenario)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"kind": "LimitExceededError", "words": ["pages", "too many"]}, LimitExceededError),
        ({"kind": "InvalidArgumentsError", "words": ["'a' is missing"]}, InvalidArgumentsError),
        ({"kind": "ConfigurationError", "words": ["a secret"], "trace": "line 1"}, HandlerFailure),
        ({"kind": "AuthenticationError", "words": ["nobody"]}, HandlerFailure),
        ({"kind": "AuditUnavailableError", "words": ["x"]}, HandlerFailure),
        ({"kind": "SystemExit", "trace": ""}, HandlerFailure),
        ({"kind": "ToolError", "words": ["x"], "door": 99}, MCPServerError),
    ],
)
def test_a_handlers_own_error_is_one_that_a_handler_may_raise(told: dict[str, Any], kind: type[Exception]) -> None:
    async def scenario(scene: Scene) -> None:
        scene.say(error=told)
        with pytest.raises(kind):
            await scene.desk.outcome

    play(scenario)


def test_state_is_asked_by_its_methods() -> None:
    async def scenario(scene: Scene) -> None:
        scene.say(id=1, door="state.__setitem__", arguments={"key": "a", "value": [1]})
        scene.say(id=2, door="state.__getitem__", arguments={"key": "a"})
        scene.say(id=3, door="state.__iter__", arguments={})
        scene.say(id=4, door="state.__getitem__", arguments={"key": "b"})
        await scene.answered(4)
        answers = {each["id"]: each for each in scene.sent}
        assert [answers[number].get("value") for number in (1, 2, 3)] == [None, [1], ("a",)]
        assert answers[4]["error"][:2] == (KeyError, ("b",))

    play(scenario)
