"""Sandboxes that stand ready, with a factory that makes none: what is handed out, refilled, given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.sandbox_config import MAX_WAITING
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.isolation.worker_pool import WorkerPool

SHAPE = SandboxShape(1 << 20)


class FakeWorker:
    def __init__(self, shape: SandboxShape) -> None:
        self.shape = shape
        self.has_ended = False
        self.was_ended = False

    async def end(self) -> None:
        self.was_ended = True


class FakeFactory:
    def __init__(self) -> None:
        self.made: list[FakeWorker] = []
        self.fails = False

    async def make(self, shape: SandboxShape) -> FakeWorker:
        await asyncio.sleep(0)
        if self.fails:
            raise ResourceUnavailableError("missing", "no sandbox")
        self.made.append(FakeWorker(shape))
        return self.made[-1]


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def with_pool(scenario: Callable[[Any, FakeFactory], Coroutine[Any, Any, None]], size: int = 2) -> FakeFactory:
    factory = FakeFactory()

    async def main() -> None:
        pool: Any = WorkerPool(factory=factory, size=size)  # type: ignore[arg-type]
        await scenario(pool, factory)
        await pool.close()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())
    return factory


def test_the_first_is_made_when_it_is_needed_and_the_next_stand_ready() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        assert factory.made == []
        first = await pool.take(SHAPE)
        await settle()
        assert (len(factory.made), pool.count) == (3, 2)
        second = await pool.take(SHAPE)
        assert second is factory.made[1]
        assert second is not first

    with_pool(scenario)


def test_none_is_handed_out_twice() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        taken = []
        for _ in range(10):
            taken.append(await pool.take(SHAPE))
            await settle()
        assert len(set(map(id, taken))) == 10

    with_pool(scenario)


def test_one_that_has_ended_meanwhile_is_not_handed_out() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        await pool.take(SHAPE)
        await settle()
        dead = factory.made[1]
        dead.has_ended = True
        assert await pool.take(SHAPE) is factory.made[2]
        assert dead.was_ended

    with_pool(scenario)


def test_a_workspace_is_for_one_run_and_stands_for_nobody() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        await pool.take(SHAPE._replace(workspace=5))
        await settle()
        assert (len(factory.made), pool.count) == (1, 0)

    with_pool(scenario)


def test_what_has_a_network_does_not_stand_ready() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        await pool.take(SHAPE._replace(has_network=True))
        await settle()
        assert (len(factory.made), pool.count) == (1, 0)

    with_pool(scenario)


def test_shapes_are_kept_apart() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        mine, yours = SHAPE._replace(owner=(1, 1)), SHAPE._replace(owner=(2, 2))
        await pool.take(mine)
        await pool.take(yours)
        await settle()
        assert {(await pool.take(mine)).shape, (await pool.take(mine)).shape} == {mine}

    with_pool(scenario)


def test_all_that_wait_are_bounded_and_the_longest_unused_go_first() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        for number in range(MAX_WAITING * 2):
            await pool.take(SHAPE._replace(owner=(number, number)))
            await settle()
            assert pool.count <= MAX_WAITING
        await pool.take(SHAPE._replace(owner=(number, number)))
        assert not factory.made[-1].was_ended

    with_pool(scenario)


def test_a_factory_that_fails_is_told_to_whoever_needs_it_only() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        await pool.take(SHAPE)
        factory.fails = True
        await settle()
        assert pool.count == 0
        with pytest.raises(ResourceUnavailableError):
            await pool.take(SHAPE)

    with_pool(scenario)


def test_closing_ends_those_that_wait() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        await pool.take(SHAPE)
        await settle()

    factory = with_pool(scenario)
    assert [each.was_ended for each in factory.made] == [False, True, True]


def test_without_a_size_nothing_waits() -> None:
    async def scenario(pool: Any, factory: FakeFactory) -> None:
        await pool.take(SHAPE)
        await settle()
        assert (len(factory.made), pool.count) == (1, 0)

    with_pool(scenario, size=0)
