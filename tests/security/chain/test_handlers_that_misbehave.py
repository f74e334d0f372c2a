"""Handlers that raise what they should not: the caller gets an answer with an id, the server lives, nothing leaks."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.module import Module
from tests.security.chain.house import House

Make = Callable[[Module, str], House]
POLICY = '[client.local]\nfolders = ["folder"]\n'
CANARY = "CANARY-7f3a"


class Rude(BaseException):
    """What no handler of ordinary errors catches."""


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1


def deep() -> None:
    try:
        recurse()
    except RecursionError as error:
        raise RecursionError(CANARY) from error


def raising(error: Callable[[], BaseException]) -> Callable[[], None]:
    def fail() -> None:
        raise error()

    return fail


def group() -> BaseException:
    return BaseExceptionGroup(CANARY, [SystemExit(CANARY), ValueError(CANARY)])


MISBEHAVIOUR: dict[str, Callable[[], None]] = {
    "exception": raising(lambda: RuntimeError(CANARY)),
    "with a path": raising(lambda: FileNotFoundError(2, "No such file", f"/home/{CANARY}/x")),
    "unicode": raising(lambda: UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY)),
    "system exit": raising(lambda: SystemExit(CANARY)),
    "keyboard interrupt": raising(lambda: KeyboardInterrupt(CANARY)),
    "own base exception": raising(lambda: Rude(CANARY)),
    "generator exit": raising(lambda: GeneratorExit(CANARY)),
    "stop iteration": raising(lambda: StopAsyncIteration(CANARY)),
    "memory": raising(lambda: MemoryError(CANARY)),
    "recursion": deep,
    "cancelled": raising(lambda: asyncio.CancelledError(CANARY)),
    "group": raising(group),
    "timeout": raising(lambda: TimeoutError(CANARY)),
    "what the operator should read": raising(lambda: ConfigurationError(CANARY, source=f"/etc/{CANARY}")),
    "assertion": raising(lambda: AssertionError(CANARY)),
}


def module_of_failures() -> Module:
    module = Module("failures")

    @module.tool(plain=["how"])
    async def fails(how: str) -> str:
        """Fail at once."""
        MISBEHAVIOUR[how]()
        return "survived"

    @module.tool(plain=["how"])
    async def fails_later(how: str) -> str:
        """Fail after having waited."""
        await asyncio.sleep(0)
        MISBEHAVIOUR[how]()
        return "survived"

    @module.tool(plain=["how"])
    def fails_in_a_thread(how: str) -> str:
        """Fail off the loop."""
        MISBEHAVIOUR[how]()
        return "survived"

    @module.tool
    async def cancels_itself() -> str:
        """Cancel the task that runs it."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)
        return "survived"

    @module.tool
    async def awaits_a_cancelled_task() -> str:
        """Wait for something that was cancelled."""
        inner = asyncio.ensure_future(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(inner.cancel)
        await inner
        return "survived"

    @module.tool
    async def fine() -> str:
        """Do nothing wrong."""
        return "fine"

    @module.prompt
    async def bad_prompt() -> str:
        """Fail as a prompt."""
        raise SystemExit(CANARY)

    @module.resource("bad://one")
    async def bad_resource() -> str:
        raise Rude(CANARY)

    return module


TOOLS = ("fails", "fails_later", "fails_in_a_thread")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_every_misbehaviour_is_answered_with_an_id_and_the_server_lives(
    house: Make, tool: str, legacy: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    complaints: list[Mapping[str, Any]] = []

    async def attack() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        async with house(module_of_failures(), POLICY) as server:
            wire = server.connect()
            if legacy:
                await wire.shake_hands()
            for how in MISBEHAVIOUR:
                details = await wire.refusal(tool, how=how)
                assert details["code"] == -32603, (how, details)
                assert details["errorId"] in details["text"]
                record = [each for each in server.records if each["kind"] == "call.done"][-1]
                # What the caller was told leads to the record, and the record names the class alone.
                assert record["call"] == details["errorId"]
                assert record["err"].startswith("OperationFailedError:"), (how, record["err"])
                assert await wire.text("fine") == "fine"
            assert wire.connection.exchanges == {}
            assert CANARY.encode() not in b"".join(server.sent)
            assert CANARY not in str(server.records)
            assert CANARY.encode() not in server.audit_bytes()
        gc.collect()

    asyncio.run(attack())
    # Nothing was answered by luck, with its task dead.
    assert complaints == []


def test_the_canary_is_found_where_a_handler_returns_it(house: Make) -> None:
    # The control of every search for it.
    module = Module("open")

    @module.tool
    async def tells() -> str:
        """Tell."""
        return CANARY

    async def attack() -> None:
        async with house(module, POLICY) as server:
            await server.connect().text("tells")
            assert CANARY.encode() in b"".join(server.sent)
            assert CANARY.encode() not in server.audit_bytes()

    asyncio.run(attack())


def test_the_cause_is_in_the_log_of_the_operator(house: Make, caplog: pytest.LogCaptureFixture) -> None:
    async def attack() -> None:
        async with house(module_of_failures(), POLICY) as server:
            details = await server.connect().refusal("fails", how="exception")
            assert details["errorId"] in caplog.text
            assert CANARY in caplog.text

    asyncio.run(attack())


@pytest.mark.parametrize("tool", ["cancels_itself", "awaits_a_cancelled_task"])
def test_a_call_that_is_cancelled_by_its_own_handler_is_answered(house: Make, tool: str) -> None:
    async def attack() -> None:
        async with house(module_of_failures(), POLICY) as server:
            wire = server.connect()
            answer = await wire.call(tool)
            assert "error" in answer or answer["result"]["isError"]
            assert await wire.text("fine") == "fine"
            assert [each["kind"] for each in server.records if each.get("tool") == tool] == ["call.intent", "call.done"]

    asyncio.run(attack())


def test_a_misbehaving_handler_does_not_disturb_the_calls_beside_it(house: Make) -> None:
    async def attack() -> None:
        async with house(module_of_failures(), POLICY) as server:
            wire = server.connect()
            names = [tool for how in MISBEHAVIOUR for tool in ("fails", "fine", "fails_later", "fine")]
            hows = [how for how in MISBEHAVIOUR for _ in range(4)]
            waiting = [
                wire.begin("tools/call", {"name": name, "arguments": {} if name == "fine" else {"how": how}})
                for name, how in zip(names, hows, strict=True)
            ]
            async with asyncio.timeout(10):
                answers = await asyncio.gather(*waiting)
            for name, answer in zip(names, answers, strict=True):
                assert bool(answer["result"].get("isError")) == (name != "fine"), answer

    asyncio.run(attack())


def test_prompts_and_resources_that_misbehave_are_masked_alike(house: Make) -> None:
    async def attack() -> None:
        async with house(module_of_failures(), POLICY) as server:
            wire = server.connect()
            for method, params in (("prompts/get", {"name": "bad_prompt"}), ("resources/read", {"uri": "bad://one"})):
                error = (await wire.ask(method, **params))["error"]
                assert error["code"] == -32603
                assert error["data"]["errorId"] in error["message"]
            assert CANARY.encode() not in b"".join(server.sent) + server.audit_bytes()
            assert await wire.text("fine") == "fine"

    asyncio.run(attack())


def test_different_failures_look_the_same_from_outside(house: Make) -> None:
    async def attack() -> None:
        async with house(module_of_failures(), POLICY) as server:
            wire = server.connect()
            shapes = set()
            for how in MISBEHAVIOUR:
                details = await wire.refusal("fails", how=how)
                shapes.add(details["text"].replace(details["errorId"], "ID"))
            assert len(shapes) == 1

    asyncio.run(attack())


def test_a_result_that_cannot_be_told_is_masked(house: Make) -> None:
    module = Module("odd")

    @module.tool
    async def odd() -> Any:
        """Return what no JSON can say."""
        return {"value": object(), "why": CANARY}

    @module.tool
    async def fine() -> str:
        """Do nothing wrong."""
        return "fine"

    async def attack() -> None:
        async with house(module, POLICY) as server:
            wire = server.connect()
            answer = await wire.call("odd")
            assert "error" in answer or answer["result"]["isError"], answer
            assert b"object at 0x" not in b"".join(server.sent)
            assert await wire.text("fine") == "fine"

    asyncio.run(attack())
