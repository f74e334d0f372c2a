"""What a process that was taken over can do to the server that listens to it."""

from __future__ import annotations

import gc
import logging
import os
import threading
from typing import Any

import pytest

from mcp_server.resources.isolation.conversation import MAX_MESSAGE_BYTES
from mcp_server.resources.process_tree import ProcessTree
from mcp_server.testing import ModuleClient
from tests.security.apart.apart_rig import ApartRig


def outcome(rig: ApartRig, tool: str, /, **arguments: Any) -> str:
    """Return what the caller learns of a call; the next call must be answered as ever."""

    async def act(client: ModuleClient) -> str:
        result = await client.result(tool, **arguments)
        assert await client.call("memory", word="x") == "1"
        assert result["isError"]
        text: str = result["content"][0]["text"]
        return text

    text: str = rig.run(act)
    return text


@pytest.mark.parametrize("message", ["", "no JSON", "[" * 100_000, '{"id": "1", "door": "roots", "arguments": {}}'])
def test_what_nobody_understands_ends_the_call(rig: ApartRig, message: str) -> None:
    assert "misbehaved and was ended" in outcome(rig, "say", message=message)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("_gate", "{}"), ("files._manager.write", "{}"), ("files.read_text", '{"path": 7}'), ("files.read", "{}")],
)
def test_a_door_that_is_none_answers_with_an_error_alone(rig: ApartRig, name: str, arguments: str) -> None:
    async def act(client: ModuleClient) -> str:
        text: str = await client.call("ask_for", name=name, arguments=arguments)
        return text

    assert rig.run(act).split(":")[0] in ("ValueError", "TypeError")


def test_a_message_longer_than_any_ends_the_call(rig: ApartRig) -> None:
    assert "said more than it may" in outcome(rig, "say_length", length=MAX_MESSAGE_BYTES + 1)


def test_questions_without_an_end_end_the_call(rig: ApartRig) -> None:
    assert "misbehaved and was ended" in outcome(rig, "ask_on", count=100_000)


def test_empty_messages_without_an_end_end_the_call(rig: ApartRig) -> None:
    assert "misbehaved and was ended" in outcome(rig, "babble", count=1_000)


@pytest.mark.parametrize(
    ("how", "words"),
    [("exit", "ended too early"), ("signal", "crashed"), ("memory", "io|memory|crashed|unexpectedly|early")],
)
def test_an_end_without_an_answer_is_told(rig: ApartRig, how: str, words: str) -> None:
    text = outcome(rig, "end", how=how)
    assert any(word in text for word in words.split("|"))


def test_one_that_never_answers_ends_with_the_deadline_of_its_call(rig: ApartRig) -> None:
    async def act(client: ModuleClient) -> dict[str, Any]:
        return await client.result("end", how="never")

    result = rig.run(act, limits={"timeout_seconds": 1})
    assert "took longer than 1 s" in result["content"][0]["text"]


@pytest.mark.parametrize(
    "result",
    [
        None,
        {"content": [{"type": 1}], "is_error": False, "meta": None},
        {"content": [], "is_error": False, "meta": None, "structured": {"n": "no number"}},
    ],
)
def test_a_result_of_another_form_is_a_bug_of_the_module(rig: ApartRig, result: Any) -> None:
    assert "failed unexpectedly" in outcome(rig, "claim", result={"told": result})


def test_a_result_that_fits_is_taken(rig: ApartRig) -> None:
    async def act(client: ModuleClient) -> Any:
        told = {"content": [], "is_error": False, "meta": None, "structured": {"n": 3}}
        return await client.call("claim", result={"told": told})

    assert rig.run(act) == {"n": 3}


def test_what_is_printed_reaches_the_log_in_quotes_and_never_the_client(
    rig: ApartRig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def act(client: ModuleClient) -> str:
        text: str = await client.call("shout", count=3)
        return text

    assert rig.run(act) == "shouted"
    lines = [each.getMessage() for each in caplog.records if "printed" in each.getMessage()]
    assert len(lines) == 3
    assert all("\x1b" not in line and line.startswith("call ") for line in lines)


def test_nothing_of_it_is_left(rig: ApartRig) -> None:
    async def act(client: ModuleClient) -> None:
        for _ in range(3):
            await client.call("read_beside", source="granted.txt", path=str(rig.granted))
            await client.result("end", how="signal")
            await client.result("say", message="no JSON")

    def held() -> tuple[int, int, list[int]]:
        # A server is a circle, whose folders close when nobody holds them.
        gc.collect()
        return len(os.listdir("/proc/self/fd")), threading.active_count(), ProcessTree().descendants(os.getpid())

    # What the first use of anything opens for good is open before.
    rig.run(act)
    before = held()
    rig.run(act)
    assert held() == before
    assert os.listdir(rig.directory / "staging") == []
