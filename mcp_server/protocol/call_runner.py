"""Running requests, many in one task as long as none of them has to wait."""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from mcp_server.protocol.channel import Channel
from mcp_server.protocol.sessions.exchange import Exchange


class CallRunner:
    """Start the coroutines of requests, each in a context of its own, and give a task of its own to each that waits.

    Making a task costs as much as a whole small call, so the requests of one read are begun one after the other in one
    task. Most end there. The first that has to wait keeps the task, and the rest go on in another; so a handler sees
    one and the same task from its beginning to its end, as `asyncio.timeout`, task groups and anyio demand. Context
    variables that one handler sets are never seen by another.

    Args:
        dropped: Told of a request that was taken back before it began.

    Source: `docs/decisions/0018-one-task-for-one-read.md`.
    """

    def __init__(self, *, dropped: Callable[[Exchange], None]) -> None:
        self._dropped = dropped
        self._queue: deque[tuple[Exchange, Coroutine[Any, Any, None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    def start(self, exchange: Exchange, operation: Coroutine[Any, Any, None]) -> None:
        """Begin `operation` in the next turn of the loop."""
        self._queue.append((exchange, operation))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())
        exchange.task = self._task

    async def _drain(self) -> None:
        task = self._task
        assert task is not None
        queue = self._queue
        channel: Channel | None = None
        waits: tuple[Coroutine[Any, Any, None], Any, contextvars.Context] | None = None
        try:
            while queue and waits is None and not task.cancelling():
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
                    waits = operation, context.run(operation.send, None), context
                except StopIteration:
                    continue
        finally:
            # Whatever happened, the rest of the queue goes on in another task: a handler that waits keeps this one, and
            # one that cancelled its own task and ended all the same must not hit the next.
            if channel is not None:
                channel.release()
            self._hand_over()
        if waits is not None:
            await _rest(*waits)

    def _hand_over(self) -> None:
        """Let another task begin what is still queued."""
        self._task = asyncio.get_running_loop().create_task(self._drain()) if self._queue else None
        for exchange, _ in self._queue:
            exchange.task = self._task


@types.coroutine
def _rest(
    operation: Coroutine[Any, Any, None], waits_for: Any, context: contextvars.Context
) -> Generator[Any, Any, None]:
    """Go on with a coroutine that was begun already and waits for `waits_for`."""
    while True:
        try:
            value = yield waits_for
        except BaseException as error:  # noqa: BLE001 - a cancellation above all: it is passed on to who waits
            resume: Callable[..., Any] = operation.throw
            argument: Any = error
        else:
            resume, argument = operation.send, value
        try:
            waits_for = context.run(resume, argument)
        except StopIteration:
            return
