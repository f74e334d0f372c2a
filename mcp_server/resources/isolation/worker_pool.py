"""Sandboxes that stand before anybody needs them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.sandbox_config import MAX_WAITING
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker
from mcp_server.resources.isolation.worker_factory import WorkerFactory

logger = logging.getLogger(__name__)


class WorkerPool:
    """Hand out sandboxes that already stand, and make another for each that is taken.

    Each is used once, by one run, and ends with it: nothing of one run is there for the next. Only sandboxes without a
    workspace wait, for a workspace is made for its run, and none with a network, which few runs have. The first of a
    shape is made when it is needed.

    Args:
        factory: Makes them.
        size: How many of one shape wait.
    """

    def __init__(self, *, factory: WorkerFactory, size: int) -> None:
        self._factory = factory
        self._size = size
        # In the order in which shapes were last used.
        self._waiting: dict[SandboxShape, deque[SandboxWorker]] = {}
        self._filling: set[SandboxShape] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def count(self) -> int:
        """How many sandboxes wait."""
        return sum(map(len, self._waiting.values()))

    async def take(self, shape: SandboxShape) -> SandboxWorker:
        """Return a sandbox of that shape whose runner waits; whoever takes it ends it.

        Raises:
            ResourceUnavailableError: It cannot be made.
        """
        if shape.workspace is not None or shape.has_network or not self._size:
            return await self._factory.make(shape)
        # Taken out and put back: the last in the order. An empty one stays itself, for it may be being filled.
        waiting = self._waiting.pop(shape, None)
        if waiting is None:
            waiting = deque()
        self._waiting[shape] = waiting
        found: SandboxWorker | None = None
        while waiting and found is None:
            found = waiting.popleft()
            if found.has_ended:
                await found.end()
                found = None
        if found is None:
            found = await self._factory.make(shape)
        self._refill(shape)
        return found

    async def close(self) -> None:
        """End every sandbox that waits, and make no more."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._waiting:
            _, workers = self._waiting.popitem()
            for worker in workers:
                await worker.end()

    def _refill(self, shape: SandboxShape) -> None:
        if shape not in self._filling and not self._is_closed:
            self._filling.add(shape)
            task = asyncio.create_task(self._fill(shape), name="mcp-server-sandboxes")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _fill(self, shape: SandboxShape) -> None:
        try:
            while len(self._waiting.get(shape, ())) < self._size and not self._is_closed:
                worker = await self._factory.make(shape)
                # Meanwhile others may have been used so much that there is no room for these.
                waiting = self._waiting.get(shape)
                if waiting is None or self._is_closed:
                    await worker.end()
                    return
                waiting.append(worker)
                await self._make_room()
        except ResourceUnavailableError as error:
            logger.warning("a sandbox could not be made before it is needed: %s", error)
        finally:
            self._filling.discard(shape)

    async def _make_room(self) -> None:
        """End the sandboxes of the shapes that were not used for longest."""
        while self.count > MAX_WAITING:
            shape = next(iter(self._waiting))
            workers = self._waiting[shape]
            if workers:
                await workers.popleft().end()
            if not workers:
                self._waiting.pop(shape, None)
