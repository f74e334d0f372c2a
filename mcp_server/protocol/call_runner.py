"""Running requests without a task, as long as they do not have to wait."""

from __future__ import annotations

import asyncio
import contextvars
from asyncio.tasks import _enter_task, _leave_task
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from mcp_server.protocol.channel import Channel
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.spare_task import SpareTask


class CallRunner:
    """Start the coroutines of requests, each in a context of its own, and give a task of its own to each that waits.

    Making a task and a turn of the loop cost as much as a whole small call. So requests are begun one after the other
    in the name of one spare task, and most end there. The first that has to wait keeps that task, and the rest go on
    with another; so a handler sees one and the same task from its beginning to its end, as `asyncio.timeout`, task
    groups and anyio demand. Context variables that one handler sets are never seen by another.

    Args:
        dropped: Told of a request that was taken back before it began.

    Source: `docs/decisions/0020-a-spare-task.md`; Python, "Extending asyncio", task lifetime support.
    """

    def __init__(self, *, dropped: Callable[[Exchange], None]) -> None:
        self._dropped = dropped
        self._queue: deque[tuple[Exchange, Coroutine[Any, Any, None]]] = deque()
        self._spare: SpareTask | None = None
        self._held = 0
        self._is_deferred = False
        # Done when what is queued has begun; None where nothing is, or where it begins at `release`.
        self._turn: asyncio.Future[None] | None = None

    def start(self, exchange: Exchange, operation: Coroutine[Any, Any, None]) -> None:
        """Begin `operation` in the next turn of the loop, or at `release` when one is held."""
        self._queue.append((exchange, operation))
        if not self._held and self._turn is None:
            self._schedule()
        exchange.task = self._turn

    def hold(self) -> None:
        """Begin nothing until `release`."""
        self._held += 1

    def defer(self) -> None:
        """Begin what is held in the next turn of the loop: a call was cancelled, and ends before what came behind."""
        self._is_deferred = True

    def release(self) -> None:
        """Begin what was started since `hold`, at once where no task runs; pairs may be nested."""
        self._held -= 1
        if self._held:
            return
        is_deferred, self._is_deferred = self._is_deferred, False
        if self._queue and self._turn is None:
            if not is_deferred and asyncio.current_task() is None:
                self._begin()
            else:
                self._schedule()

    async def rest(self) -> None:
        """Keep no task in reserve: nobody is served at present."""
        spare, self._spare = self._spare, None
        if spare is not None:
            await spare.end()

    def _schedule(self) -> None:
        """Begin what is queued in the loop's next turn."""
        loop = asyncio.get_running_loop()
        turn = self._turn = loop.create_future()
        for exchange, _ in self._queue:
            exchange.task = turn
        loop.call_soon(self._take_turn, turn)

    def _take_turn(self, turn: asyncio.Future[None]) -> None:
        self._turn = None
        try:
            self._begin()
        finally:
            if not turn.done():
                turn.set_result(None)

    def _begin(self) -> None:
        queue = self._queue
        while queue and queue[0][0].is_cancelled:
            exchange, operation = queue.popleft()
            operation.close()
            self._dropped(exchange)
        if not queue:
            # Nothing that would need a task, not even a spare one.
            return
        loop = asyncio.get_running_loop()
        spare = self._spare
        try:
            if spare is not None and spare.is_ready(loop):
                self._begin_in(spare, loop)
            elif spare is None or not spare.will_be_ready(loop):
                self._spare = SpareTask(loop)
        finally:
            if queue and self._turn is None:
                # Somebody waits and keeps the task, and the rest go on in another; or the task is just made.
                self._schedule()

    def _begin_in(self, spare: SpareTask, loop: asyncio.AbstractEventLoop) -> None:
        """Begin one after the other, until one has to wait."""
        queue = self._queue
        task = spare.task
        channel: Channel | None = None
        _enter_task(loop, task)
        try:
            # One that cancelled its own task and ended all the same must not hit the next.
            while queue and (channel is None or spare.is_ready(loop)):
                exchange, operation = queue.popleft()
                if exchange.connection.channel is not channel:
                    # The answers of one connection's calls go out together.
                    if channel is not None:
                        channel.release()
                    channel = exchange.connection.channel
                    channel.hold()
                if exchange.is_cancelled:
                    operation.close()
                    self._dropped(exchange)
                    continue
                exchange.task = task
                exchange.is_running = True
                context = contextvars.copy_context()
                try:
                    waits_for = context.run(operation.send, None)
                except StopIteration:
                    continue
                # The next one is ready by the next read.
                self._spare = SpareTask(loop)
                spare.take_over(operation, waits_for, context)
                break
        finally:
            _leave_task(loop, task)
            if channel is not None:
                channel.release()
