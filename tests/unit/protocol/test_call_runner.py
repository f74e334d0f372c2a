"""Many requests in the name of one task, as long as none waits; each sees its own task and its own context."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.protocol.call_runner import CallRunner
from mcp_server.protocol.sessions.exchange import Exchange

Make = Callable[..., Exchange]
NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="nobody")


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_requests_of_one_turn_share_a_task(exchange_of: Make, channel: Any) -> None:
    seen: list[Any] = []

    async def operation() -> None:
        seen.append(asyncio.current_task())

    async def main() -> None:
        runner = CallRunner(dropped=seen.append)
        for _ in range(3):
            runner.start(exchange_of("x"), operation())
        assert seen == []
        await settle()

    asyncio.run(main())
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert channel.held == 0


def test_request_that_waits_keeps_its_task_and_the_others_go_on(exchange_of: Make, channel: Any) -> None:
    order: list[Any] = []

    async def waits(gate: asyncio.Event) -> None:
        before = asyncio.current_task()
        await gate.wait()
        order.append(("waited", asyncio.current_task() is before))

    async def quick() -> None:
        order.append("quick")

    async def main() -> None:
        gate = asyncio.Event()
        runner = CallRunner(dropped=order.append)
        for operation in (quick(), waits(gate), quick(), waits(gate), quick()):
            runner.start(exchange_of("x"), operation)
        await settle()
        assert order == ["quick"] * 3
        assert channel.held == 0
        gate.set()
        await settle()

    asyncio.run(main())
    assert order == ["quick"] * 3 + [("waited", True)] * 2


def test_request_taken_back_before_it_begins_is_dropped(exchange_of: Make) -> None:
    dropped: list[Exchange] = []
    ran: list[str] = []

    async def operation(name: str) -> None:
        ran.append(name)

    async def main() -> None:
        runner = CallRunner(dropped=dropped.append)
        exchanges = [exchange_of("x", request_id=number) for number in range(3)]
        for number, exchange in enumerate(exchanges):
            runner.start(exchange, operation(str(number)))
        exchanges[1].cancel()
        await settle()
        assert dropped == [exchanges[1]]

    asyncio.run(main())
    assert ran == ["0", "2"]


def test_cancellation_hits_the_one_that_waits_only(exchange_of: Make) -> None:
    ended: list[str] = []

    async def waits(name: str, gate: asyncio.Event) -> None:
        try:
            await gate.wait()
            ended.append(f"{name} done")
        except asyncio.CancelledError:
            ended.append(f"{name} cancelled")

    async def main() -> None:
        gate = asyncio.Event()
        runner = CallRunner(dropped=lambda exchange: None)
        exchanges = [exchange_of("x", request_id=name) for name in "abc"]
        for exchange in exchanges:
            runner.start(exchange, waits(str(exchange.request_id), gate))
        await settle()
        exchanges[1].cancel()
        await settle()
        assert ended == ["b cancelled"]
        gate.set()
        await settle()

    asyncio.run(main())
    assert sorted(ended) == ["a done", "b cancelled", "c done"]


@pytest.mark.parametrize("yields", [False, True])
def test_context_variables_stay_with_their_call(exchange_of: Make, yields: bool) -> None:
    seen: list[tuple[str, str]] = []

    async def operation(name: str) -> None:
        before = NAME.get()
        NAME.set(name)
        if yields:
            await asyncio.sleep(0)
        seen.append((before, NAME.get()))

    async def main() -> None:
        runner = CallRunner(dropped=lambda exchange: None)
        for name in "abc":
            runner.start(exchange_of("x"), operation(name))
        await settle()
        assert NAME.get() == "nobody"

    asyncio.run(main())
    assert sorted(seen) == [("nobody", "a"), ("nobody", "b"), ("nobody", "c")]


def in_callback(function: Callable[[], None]) -> None:
    """Call it as the loop calls a transport: where no task runs."""
    asyncio.get_running_loop().call_soon(function)


def test_what_was_held_begins_at_release_without_a_turn_of_the_loop(exchange_of: Make) -> None:
    order: list[str] = []

    async def operation(name: str) -> None:
        assert asyncio.current_task() is not None
        order.append(name)

    async def main() -> None:
        runner = CallRunner(dropped=lambda exchange: None)
        runner.start(exchange_of("x"), operation("first"))
        await settle()

        def read() -> None:
            runner.hold()
            runner.start(exchange_of("x"), operation("second"))
            order.append("taken")
            runner.release()
            order.append("released")

        in_callback(read)
        await settle()
        # Within a task nothing can begin in the name of another.
        runner.hold()
        runner.start(exchange_of("x"), operation("third"))
        runner.release()
        order.append("released")
        await settle()

    asyncio.run(main())
    assert order == ["first", "taken", "second", "released", "released", "third"]


def test_one_that_is_cancelled_in_the_turn_in_which_it_began_is_told_by_whom_it_waits_for(exchange_of: Make) -> None:
    order: list[str] = []

    async def inner() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            order.append("inner ended")

    async def operation() -> None:
        inside = asyncio.create_task(inner())
        await asyncio.sleep(0)
        try:
            await inside
        except asyncio.CancelledError:
            order.append("operation cancelled")
            raise

    async def yields() -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            order.append("yielding one cancelled")

    async def main() -> None:
        runner = CallRunner(dropped=lambda exchange: None)
        first, last = exchange_of("x"), exchange_of("x")
        runner.start(first, operation())
        await settle()

        def read() -> None:
            runner.hold()
            runner.start(last, yields())
            runner.release()
            last.cancel()

        in_callback(read)
        await settle()
        assert order == ["yielding one cancelled"]
        first.cancel()
        await settle()

    asyncio.run(main())
    assert order == ["yielding one cancelled", "inner ended", "operation cancelled"]


@pytest.mark.parametrize("waits", [False, True])
def test_one_that_cancels_its_own_task_does_not_hit_the_next(exchange_of: Make, waits: bool) -> None:
    order: list[str] = []

    async def selfish() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        try:
            if waits:
                await asyncio.Event().wait()
            order.append("ended")
        except asyncio.CancelledError:
            order.append("cancelled")

    async def next_one() -> None:
        await asyncio.sleep(0)
        order.append("next")

    async def main() -> None:
        runner = CallRunner(dropped=lambda exchange: None)
        runner.start(exchange_of("x"), selfish())
        runner.start(exchange_of("x"), next_one())
        await settle()

    asyncio.run(main())
    assert sorted(order) == ["cancelled" if waits else "ended", "next"]


def test_no_task_is_left_at_rest(exchange_of: Make) -> None:
    async def operation() -> None:
        return

    async def main() -> None:
        runner = CallRunner(dropped=lambda exchange: None)
        runner.start(exchange_of("x"), operation())
        await settle()
        assert len(asyncio.all_tasks()) == 2
        await runner.rest()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_runner_outlives_its_loop(exchange_of: Make) -> None:
    ran: list[int] = []

    async def operation() -> None:
        ran.append(1)

    async def main() -> None:
        runner.start(exchange_of("x"), operation())
        await settle()

    runner = CallRunner(dropped=lambda exchange: None)
    asyncio.run(main())
    asyncio.run(main())
    assert ran == [1, 1]


def test_timeouts_and_groups_work_inside(exchange_of: Make) -> None:
    seen: list[str] = []

    async def late() -> None:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            seen.append("timeout")

    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(0))
        seen.append("group")

    async def main() -> None:
        runner = CallRunner(dropped=lambda exchange: None)
        for operation in (late(), group(), late()):
            runner.start(exchange_of("x"), operation)
        await settle()
        await settle()

    asyncio.run(main())
    assert sorted(seen) == ["group", "timeout", "timeout"]
