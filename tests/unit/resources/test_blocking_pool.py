from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources import blocking_pool
from mcp_server.resources.blocking_pool import BlockingPool


class Gate:
    """Holds threads until it is opened, and counts those it holds."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._arrived = threading.Semaphore(0)

    def __call__(self, value: Any = None) -> Any:
        self._arrived.release()
        assert self._open.wait(20)
        return value

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self._arrived.acquire(timeout=20)

    @property
    def has_arrivals(self) -> bool:
        return self._arrived.acquire(blocking=False)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


def test_results_and_errors_come_back_to_who_waits() -> None:
    pool = BlockingPool()

    async def work() -> None:
        assert await pool.run("a", lambda x, y: x + y, 1, 2) == 3
        with pytest.raises(ZeroDivisionError):
            await pool.run("a", lambda: 1 // 0)

    asyncio.run(work())
    pool.close()


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, MemoryError])
def test_whatever_a_function_raises_ends_its_call_and_not_the_thread(error: type[BaseException]) -> None:
    pool = BlockingPool(max_threads=1)

    def fail() -> None:
        raise error

    async def work() -> None:
        with pytest.raises(RuntimeError if error in (StopIteration, GeneratorExit) else error):
            await pool.run("a", fail)
        assert await pool.run("a", int) == 0

    asyncio.run(work())
    assert pool.threads == 1
    pool.close()


def test_context_variables_of_the_caller_are_seen_and_not_changed() -> None:
    pool = BlockingPool()
    variable = contextvars.ContextVar("variable", default="none")

    def change() -> str:
        seen = variable.get()
        variable.set("changed")
        return seen

    async def work() -> None:
        variable.set("mine")
        assert await pool.run("a", change) == "mine"
        assert variable.get() == "mine"

    asyncio.run(work())
    pool.close()


def test_threads_start_when_needed_and_no_more_than_allowed(gate: Gate) -> None:
    pool = BlockingPool(max_threads=3, max_calls_per_owner=10)
    assert pool.threads == 0

    async def work() -> None:
        calls = [asyncio.ensure_future(pool.run("a", gate, number)) for number in range(6)]
        await asyncio.sleep(0)
        assert pool.threads == 3
        gate.open()
        assert await asyncio.gather(*calls) == list(range(6))

    asyncio.run(work())
    assert pool.threads == 3
    pool.close()


def test_one_owner_leaves_threads_for_the_others(gate: Gate) -> None:
    pool = BlockingPool(max_threads=4, max_calls_per_owner=2)

    async def work() -> None:
        greedy = [asyncio.ensure_future(pool.run("greedy", gate, number)) for number in range(5)]
        await asyncio.sleep(0)
        gate.wait_for(2)
        assert await pool.run("modest", int) == 0
        assert not gate.has_arrivals
        gate.open()
        assert await asyncio.gather(*greedy) == list(range(5))

    asyncio.run(work())
    assert pool._running == {}
    assert pool._waiting == {}
    pool.close()


def test_those_who_wait_have_their_turn_in_order(gate: Gate) -> None:
    pool = BlockingPool(max_threads=1, max_calls_per_owner=1)
    order: list[int] = []

    async def work() -> None:
        held = asyncio.ensure_future(pool.run("a", gate))
        calls = [asyncio.ensure_future(pool.run("a", order.append, number)) for number in range(5)]
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(held, *calls)

    asyncio.run(work())
    assert order == [0, 1, 2, 3, 4]
    pool.close()


def test_only_so_many_may_wait(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking_pool, "MAX_WAITING_PER_OWNER", 2)
    pool = BlockingPool(max_calls_per_owner=1)

    async def work() -> None:
        calls = [asyncio.ensure_future(pool.run("a", gate)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(LimitExceededError) as caught:
            await pool.run("a", int)
        assert caught.value.limit == "blocking_calls"
        assert await pool.run("b", int) == 0
        gate.open()
        await asyncio.gather(*calls)

    asyncio.run(work())
    pool.close()


def test_a_call_that_is_taken_back_while_it_runs_keeps_its_place_until_it_returns(gate: Gate) -> None:
    pool = BlockingPool(max_calls_per_owner=1)

    async def work() -> None:
        stuck = asyncio.ensure_future(pool.run("a", gate))
        await asyncio.sleep(0)
        gate.wait_for(1)
        stuck.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck
        following = asyncio.ensure_future(pool.run("a", int))
        await asyncio.sleep(0)
        assert not following.done()
        gate.open()
        assert await following == 0

    asyncio.run(work())
    pool.close()


@pytest.mark.parametrize("threads", [1, 4], ids=["no thread free", "owner at its cap"])
def test_a_call_that_is_taken_back_before_it_begins_never_runs(gate: Gate, threads: int) -> None:
    pool = BlockingPool(max_threads=threads, max_calls_per_owner=threads if threads == 1 else 1)
    ran: list[int] = []

    async def work() -> None:
        held = asyncio.ensure_future(pool.run("a", gate))
        await asyncio.sleep(0)
        gate.wait_for(1)
        owner = "b" if threads == 1 else "a"
        waiting = asyncio.ensure_future(pool.run(owner, ran.append, 1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.open()
        await held
        # Behind it in every queue: when this has run, the other has had its turn.
        await pool.run(owner, ran.append, 2)

    asyncio.run(work())
    assert ran == [2]
    pool.close()


def test_a_closed_pool_takes_nothing_and_its_threads_end() -> None:
    pool = BlockingPool(max_threads=2)
    asyncio.run(pool.run("a", int))
    (thread,) = [each for each in threading.enumerate() if each.name == "mcp-server-blocking"][-1:]
    pool.close()
    thread.join(10)
    assert not thread.is_alive()
    assert pool.threads == 0
    with pytest.raises(LimitExceededError) as caught:
        asyncio.run(pool.run("a", int))
    assert caught.value.limit == "shutdown"


def test_a_result_that_comes_after_the_loop_was_closed_disturbs_nobody(gate: Gate) -> None:
    pool = BlockingPool(max_threads=1)

    async def leave() -> None:
        call = asyncio.ensure_future(pool.run("a", gate))
        await asyncio.sleep(0)
        gate.wait_for(1)
        call.cancel()

    asyncio.run(leave())
    gate.open()
    # The same thread is good for another loop.
    assert asyncio.run(pool.run("a", int)) == 0
    pool.close()


def test_threads_do_not_keep_the_process_alive(gate: Gate) -> None:
    pool = BlockingPool()

    async def work() -> None:
        call = asyncio.ensure_future(pool.run("a", gate))
        await asyncio.sleep(0)
        gate.wait_for(1)
        daemons = [each.daemon for each in threading.enumerate() if each.name == "mcp-server-blocking"]
        assert daemons
        assert all(daemons)
        gate.open()
        await call

    asyncio.run(work())
    pool.close()
