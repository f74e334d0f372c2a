"""The handler's end, over real pipes; the test is the server."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.tool_error import ToolError
from mcp_server.resources.isolation.framing import LENGTH_BYTES, framed
from mcp_server.security.apart.door_channel import DoorChannel
from mcp_server.security.apart.remote_context import RemoteContext
from mcp_server.security.client_context import ClientContext

Answer = Callable[[str, dict[str, Any]], Any]
FACTS = {"id": "c-1", "profile": "ada", "peer": None, "max_result_bytes": 9}


class Server:
    """Answer what is asked, in a thread; what is told last is kept."""

    def __init__(self, answer: Answer) -> None:
        self._reading, writing = os.pipe()
        reading, self._writing = os.pipe()
        self.channel = DoorChannel(reading=reading, writing=writing)
        self._channel_end = writing
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.told: dict[str, Any] | None = None
        self._answer = answer
        self._say({"first": True})
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End without the end of the channel's input: that would end this process, as it ends the handler's."""
        if self._channel_end >= 0:
            os.close(self._channel_end)
            self._channel_end = -1
            self._thread.join(10)

    def _say(self, message: dict[str, Any]) -> None:
        os.write(self._writing, framed(pickle.dumps(message)))

    def _serve(self) -> None:
        with open(self._reading, "rb") as stream:
            while head := stream.read(LENGTH_BYTES):
                said = json.loads(stream.read(int.from_bytes(head, "big")))
                if "door" not in said or "id" not in said:
                    self.told = said
                    continue
                self.asked.append((said["door"], said["arguments"]))
                try:
                    self._say({"id": said["id"], "value": self._answer(said["door"], said["arguments"])})
                except Exception as error:  # noqa: BLE001 - as a server tells it
                    self._say({"id": said["id"], "error": (type(error), error.args, vars(error))})


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    made: list[Server] = []

    def make(answer: Answer) -> Server:
        server = Server(answer)
        made.append(server)
        assert server.channel.first() == {"first": True}
        return server

    yield make
    for each in made:
        each.close()


def context(server: Server) -> Any:
    return RemoteContext(channel=server.channel, kind=ClientContext, facts=FACTS)


def test_methods_take_what_those_of_the_door_take(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda door, arguments: f"{door} {sorted(arguments)}")
    client = context(server)

    async def ask() -> list[Any]:
        return [
            await client.files.read_text("a.txt", head=3),
            await client.run("git", ["status"], stdin="text"),
            await client.sample("hello", temperature=0.5),
            await client.code.run_python("1", timeout_seconds=2.0),
            client.files.absolute("a.txt"),
            client.files.roots,
        ]

    assert asyncio.run(ask()) == [
        "files.read_text ['head', 'path']",
        "run ['arguments', 'program', 'stdin']",
        "sample ['messages', 'options']",
        "code.run_python ['code', 'timeout_seconds']",
        "files.absolute ['path']",
        "files.roots []",
    ]
    assert server.asked[1][1]["stdin"] == "dGV4dA=="


@pytest.mark.parametrize("wrong", [{"paht": "a"}, {}, {"path": "a", "head": 1, "more": 2}])
def test_a_wrong_argument_is_found_before_anything_is_asked(
    serve: Callable[[Answer], Server], wrong: dict[str, Any]
) -> None:
    server = serve(lambda door, arguments: None)
    with pytest.raises(TypeError):
        context(server).files.read_text(**wrong)
    assert server.asked == []


@pytest.mark.parametrize("name", ["watch", "plan", "nothing"])
def test_what_cannot_be_had_from_afar_says_so(serve: Callable[[Answer], Server], name: str) -> None:
    with pytest.raises(AttributeError, match=rf"client\.files\.{name}.*in a process of its own"):
        getattr(context(serve(lambda door, arguments: None)).files, name)


def test_questions_of_many_tasks_and_threads_are_told_apart(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda door, arguments: arguments["path"])
    client = context(server)

    async def ask() -> list[str]:
        plain = [asyncio.to_thread(client.files.absolute, f"t{number}") for number in range(20)]
        return await asyncio.gather(*(client.files.read_text(f"a{number}") for number in range(20)), *plain)

    assert asyncio.run(ask()) == [f"a{number}" for number in range(20)] + [f"t{number}" for number in range(20)]


def test_an_error_of_a_door_is_one_here_and_is_known_again_there(serve: Callable[[Answer], Server]) -> None:
    def refuse(door: str, arguments: dict[str, Any]) -> None:
        raise LimitExceededError("pages", "too many", retry_after_seconds=3.0)

    server = serve(refuse)
    with pytest.raises(LimitExceededError, match="too many") as caught:
        asyncio.run(context(server).files.read_text("a"))
    assert (caught.value.limit, caught.value.retry_after_seconds) == ("pages", 3.0)
    server.channel.fail(caught.value)
    server.close()
    assert server.told is not None
    assert server.told["error"] == {"kind": "LimitExceededError", "words": ["pages", "too many"], "door": 1}


def test_state_is_a_mapping_like_any_other(serve: Callable[[Answer], Server]) -> None:
    kept: dict[str, Any] = {"old": 1}

    def state(door: str, arguments: dict[str, Any]) -> Any:
        if door.endswith("setitem__"):
            kept[arguments["key"]] = arguments["value"]
            return None
        if door.endswith("delitem__"):
            del kept[arguments["key"]]
            return None
        return tuple(kept) if door.endswith("iter__") else kept[arguments["key"]]

    client = context(serve(state))
    client.state["new"] = {"a": [1]}
    assert dict(client.state) == {"old": 1, "new": {"a": [1]}}
    assert client.state.pop("old") == 1
    assert len(client.state) == 1
    assert client.state.get("old") is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ToolError("try again"), {"kind": "ToolError", "words": ["try again"]}),
        (KeyError("k"), {"kind": "KeyError"}),
        (SystemExit(3), {"kind": "SystemExit"}),
    ],
)
def test_the_end_is_told(serve: Callable[[Answer], Server], error: BaseException, told: dict[str, Any]) -> None:
    server = serve(lambda door, arguments: None)
    server.channel.fail(error)
    server.close()
    assert server.told is not None
    assert told.items() <= server.told["error"].items()


def test_facts_need_no_question(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda door, arguments: None)
    client = context(server)
    assert (client.id, client.profile, client.peer, client.max_result_bytes) == ("c-1", "ada", None, 9)
    assert (client.cancelled, client.isolation) == (False, None)
    assert asyncio.run(client.run_sync(int, "7")) == 7
    assert server.asked == []
