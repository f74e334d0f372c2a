"""A task that is there before there is work for it."""

from __future__ import annotations

import asyncio
import contextvars
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any


class SpareTask:
    """Waits until an operation, begun in its name, cannot go on by itself; then it is that operation's task.

    Cancelling it in between cancels what the operation waits for, as it would in a task that ran from the beginning.

    Args:
        loop: The running loop, in whose next turn the task is ready.
    """

    __slots__ = ("_begun", "_loop", "_wake", "task")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._begun: tuple[Coroutine[Any, Any, None], Any, contextvars.Context] | None = None
        self._wake: asyncio.Future[None] | None = None
        self.task = loop.create_task(self._carry())

    def is_ready(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether an operation of that loop may be begun in its name: it waits, and nobody has cancelled it."""
        return self._wake is not None and self._loop is loop and not self._wake.done()

    def will_be_ready(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether it is just made, and waits from the next turn of that loop on."""
        return self._wake is None and self._loop is loop and not self.task.done() and not self.task.cancelling()

    def take_over(self, operation: Coroutine[Any, Any, None], waits_for: Any, context: contextvars.Context) -> None:
        """Go on with an operation that was begun in this task's name.

        Args:
            operation: Its coroutine.
            waits_for: What its first step waits for.
            context: The context it runs in.
        """
        self._begun = operation, waits_for, context
        assert self._wake is not None
        if not self._wake.done():
            self._wake.set_result(None)

    async def end(self) -> None:
        """End the task, unless it carries an operation."""
        if self._begun is None:
            self.task.cancel()
            await asyncio.wait([self.task])

    async def _carry(self) -> None:
        self._wake = self._loop.create_future()
        try:
            await self._wake
        except asyncio.CancelledError as error:
            if self._begun is None:
                raise
            operation, waits_for, context = self._begun
            # As `Task.cancel` does: whom it waits for is cancelled; only where that cannot be, it is told itself.
            if waits_for is None or not waits_for.cancel():
                try:
                    waits_for = context.run(operation.throw, error)
                except StopIteration:
                    return
        else:
            assert self._begun is not None
            operation, waits_for, context = self._begun
        await _rest(operation, waits_for, context)


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
