"""Floods, and handlers that never end: each client has its bounds, and no clock but the test's moves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.tools.module import Module
from tests.security.chain.chain_rig import ChainRig, nothing, operation
from tests.security.chain.fake_peer import FakePeer
from tests.security.chain.house import House

Make = Callable[[Module, str], House]

TWO_AT_ONCE = """
version = 1
[client.local]
limits = { concurrent_calls = 2, calls_per_minute = 60 }
[client.other]
"""


def test_a_call_beyond_those_that_may_run_at_once_is_refused_and_others_are_not(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy(TWO_AT_ONCE))

    async def attack() -> None:
        gate = asyncio.Event()

        async def holds(client: Any) -> str:
            await gate.wait()
            return "released"

        held = [asyncio.ensure_future(rig.chain.run(rig.local, lambda principal: operation(holds))) for _ in range(2)]
        await asyncio.sleep(0)
        for _ in range(3):
            with pytest.raises(LimitExceededError) as caught:
                await rig.chain.run(rig.local, lambda principal: operation(nothing))
            assert caught.value.limit == "concurrent_calls"
        # Another client is not touched by it.
        assert await rig.chain.run(rig.other, lambda principal: operation(nothing)) == "done"
        gate.set()
        assert await asyncio.gather(*held) == ["released", "released"]
        assert await rig.chain.run(rig.local, lambda principal: operation(nothing)) == "done"

    asyncio.run(attack())
    assert rig.kinds().count("call.denied") == 3


def test_calls_a_minute_are_counted_and_time_brings_them_back(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy(TWO_AT_ONCE))

    def call() -> Any:
        return asyncio.run(rig.chain.run(rig.local, lambda principal: operation(nothing)))

    for _ in range(60):
        assert call() == "done"
    with pytest.raises(LimitExceededError) as caught:
        call()
    assert caught.value.limit == "calls_per_minute"
    assert caught.value.retry_after_seconds == pytest.approx(1.0)
    rig.clock.advance(1.0)
    assert call() == "done"
    with pytest.raises(LimitExceededError):
        call()
    # A long silence buys one minute's calls, not more.
    rig.clock.advance(3_600.0)
    for _ in range(60):
        assert call() == "done"
    with pytest.raises(LimitExceededError):
        call()


def test_a_model_that_repeats_itself_is_told_to_stop_while_other_calls_go_on(rig: ChainRig) -> None:
    rig.permissions.replace(
        rig.policy("version = 1\n[client.local]\nlimits = { identical_calls = 3 }\n[client.other]\n")
    )
    ran: list[int] = []

    async def handler(client: Any) -> str:
        ran.append(1)
        return "the same answer"

    def call(credentials: Any = rig.local, **arguments: Any) -> Any:
        return asyncio.run(rig.chain.run(credentials, lambda principal: operation(handler, arguments=arguments)))

    for _ in range(3):
        assert call(number=1) == "the same answer"
    for _ in range(50):
        with pytest.raises(LimitExceededError, match="stop") as caught:
            call(number=1)
        assert caught.value.limit == "identical_calls"
    assert len(ran) == 3
    assert rig.calls()[-1]["err"] == "LimitExceededError:identical_calls"
    # Another call of the same client, and the same call of another client, are not touched by it.
    assert call(number=2) == "the same answer"
    assert call(rig.other, number=1) == "the same answer"
    rig.clock.advance(60.0)
    assert call(number=1) == "the same answer"


def test_without_the_breaker_a_model_that_repeats_itself_has_all_its_calls(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits = { identical_calls = 1000000 }\n"))
    for _ in range(600):
        assert asyncio.run(rig.chain.run(rig.local, lambda principal: operation(nothing))) == "done"
    with pytest.raises(LimitExceededError) as caught:
        asyncio.run(rig.chain.run(rig.local, lambda principal: operation(nothing)))
    assert caught.value.limit == "calls_per_minute"


def test_refused_repetitions_use_up_what_a_client_may_call(rig: ChainRig) -> None:
    limits = "limits = { identical_calls = 1, calls_per_minute = 5 }"
    rig.permissions.replace(rig.policy(f"version = 1\n[client.local]\n{limits}\n"))
    met: list[str] = []
    for _ in range(6):
        try:
            asyncio.run(rig.chain.run(rig.local, lambda principal: operation(nothing)))
        except LimitExceededError as error:
            met.append(error.limit)
    assert met == ["identical_calls"] * 4 + ["calls_per_minute"]


def test_a_refused_call_does_not_start_its_handler(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits = { calls_per_minute = 1 }\n"))
    started = []

    async def handler(client: Any) -> None:
        started.append(1)

    asyncio.run(rig.chain.run(rig.local, lambda principal: operation(handler)))
    for _ in range(5):
        with pytest.raises(LimitExceededError):
            asyncio.run(rig.chain.run(rig.local, lambda principal: operation(handler)))
    assert len(started) == 1


def test_failed_calls_give_their_place_back(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits = { concurrent_calls = 1 }\n"))

    async def fails(client: Any) -> None:
        raise SystemExit

    for _ in range(3):
        with pytest.raises(Exception, match="unexpectedly"):
            asyncio.run(rig.chain.run(rig.local, lambda principal: operation(fails)))
    assert asyncio.run(rig.chain.run(rig.local, lambda principal: operation(nothing))) == "done"


def test_unknown_names_do_not_use_up_what_a_client_may_call(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits = { calls_per_minute = 1 }\n"))

    def unknown(principal: Any) -> Any:
        raise UnknownNameError("tool", "nosuch")

    for _ in range(10):
        with pytest.raises(UnknownNameError):
            asyncio.run(rig.chain.run(rig.local, unknown))
    assert asyncio.run(rig.chain.run(rig.local, lambda principal: operation(nothing))) == "done"


def test_a_handler_past_its_deadline_is_cancelled_by_the_sweep(rig: ChainRig) -> None:
    ended: list[str] = []

    async def attack() -> None:
        async def stuck(client: Any) -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append("cancelled" if client.cancelled else "cancelled untold")
                raise

        call = asyncio.ensure_future(rig.chain.run(rig.local, lambda principal: operation(stuck, timeout_seconds=5.0)))
        await asyncio.sleep(0)
        rig.clock.advance(4.9)
        rig.watch.sweep()
        await asyncio.sleep(0)
        assert not call.done()
        rig.clock.advance(0.2)
        rig.watch.sweep()
        with pytest.raises(LimitExceededError) as caught:
            await call
        assert caught.value.limit == "timeout"
        assert "5 s" in str(caught.value)
        assert rig.watch.count == 0

    asyncio.run(attack())
    assert ended == ["cancelled"]
    assert rig.calls()[-1]["err"] == "LimitExceededError:timeout"


def test_no_handler_runs_longer_than_the_hard_maximum(rig: ChainRig) -> None:
    async def attack() -> None:
        async def stuck(client: Any) -> None:
            await asyncio.Event().wait()

        call = asyncio.ensure_future(rig.chain.run(rig.local, lambda principal: operation(stuck, timeout_seconds=1e9)))
        await asyncio.sleep(0)
        rig.clock.advance(3_600.1)
        rig.watch.sweep()
        with pytest.raises(LimitExceededError):
            await call

    asyncio.run(attack())


def test_time_in_which_a_human_is_asked_for_consent_is_not_the_calls(rig: ChainRig) -> None:
    from mcp_server.security.permissions.permission import Permission
    from mcp_server.security.permissions.permission_type import PermissionType

    bell = Permission(PermissionType.custom("CUSTOM_BELL"), "**", argument="name")

    async def attack() -> None:
        thinking = asyncio.Event()
        answered = asyncio.Event()

        async def slow_human(params: Any) -> Any:
            thinking.set()
            await answered.wait()
            return {"action": "accept", "content": {"allow": True}}

        plan = operation(nothing, permissions=(bell,), needs={bell: "front"}, timeout_seconds=5.0)
        call = asyncio.ensure_future(rig.chain.run(rig.local, lambda principal: plan, peer=FakePeer(answer=slow_human)))
        await thinking.wait()
        for _ in range(100):
            rig.clock.advance(1.0)
            rig.watch.sweep()
        assert not call.done()
        answered.set()
        assert await call == "done"

    asyncio.run(attack())


def test_a_stuck_thread_blocks_neither_the_loop_nor_other_clients(house: Make) -> None:
    module = Module("stuck")
    release = threading.Event()

    @module.tool(timeout_seconds=2)
    def stuck() -> str:
        """Block until the test is over."""
        release.wait(20)
        return "never"

    @module.tool
    def quick() -> str:
        """Return at once, off the loop."""
        return "quick"

    @module.tool
    async def echo(text: str) -> str:
        """Return the text."""
        return text

    async def attack() -> None:
        async with house(module, '[client.local]\nfolders = ["folder"]\n[client.other]\n') as server:
            wire, other = server.connect(), server.connect("other")
            held = [wire.begin("tools/call", {"name": "stuck", "arguments": {}}) for _ in range(8)]
            assert await wire.text("echo", text="still here") == "still here"
            assert await other.text("quick") == "quick"
            server.clock.advance(2.1)
            server.lifecycle.security.watch.sweep()
            async with asyncio.timeout(10):
                for answer in await asyncio.gather(*held):
                    details = answer["result"]["_meta"]["dev.mcpserver/error"]
                    assert (details["code"], details["limit"]) == (4290, "timeout")
            assert await wire.text("echo", text="again") == "again"
            release.set()

    asyncio.run(attack())


def test_an_expired_call_that_waited_for_a_thread_never_runs(house: Make) -> None:
    module = Module("queue")
    release = threading.Event()
    effects: list[int] = []

    @module.tool(timeout_seconds=100)
    def holds() -> str:
        """Hold a thread."""
        release.wait(20)
        return "held"

    @module.tool(timeout_seconds=2)
    def effect(number: int) -> str:
        """Have an effect."""
        effects.append(number)
        return "done"

    async def attack() -> None:
        async with house(module, "[client.local]\n") as server:
            wire = server.connect()
            held = [wire.begin("tools/call", {"name": "holds", "arguments": {}}) for _ in range(8)]
            waiting = wire.begin("tools/call", {"name": "effect", "arguments": {"number": 1}})
            # Each call begins in a turn of its own.
            for _ in range(20):
                await asyncio.sleep(0)
            assert server.lifecycle.security.watch.count == 9
            server.clock.advance(2.1)
            server.lifecycle.security.watch.sweep()
            async with asyncio.timeout(10):
                answer = await waiting
            assert answer["result"]["isError"]
            release.set()
            async with asyncio.timeout(10):
                await asyncio.gather(*held)
            # The pool has handed the freed threads on by now: a further call proves it.
            await wire.text("effect", number=2)
            assert effects == [2]

    asyncio.run(attack())
