"""Threads for what blocks."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from mcp_server.errors.limit_exceeded_error import LimitExceededError

T = TypeVar("T")

MAX_THREADS: Final = 32
"""Threads in all: file systems and sync handlers wait more than they compute."""

MAX_CALLS_PER_OWNER: Final = 8
"""Calls of one client at once, so that one client's slow handlers leave threads for the others."""

MAX_WAITING_PER_OWNER: Final = 256
"""Calls of one client that may wait for a thread."""


class BlockingPool:
    """Run blocking functions off the event loop, with a cap for each owner.

    Threads start when needed and are daemons: a function that never returns cannot keep the process alive. A call
    that is cancelled leaves its function running, and its slot taken, until the function returns; one that had not
    begun never does.

    Args:
        max_threads: Threads in all.
        max_calls_per_owner: Calls of one owner that run at once; further ones wait their turn.

    >>> pool = BlockingPool(max_threads=1)
    >>> asyncio.run(pool.run("client", max, 1, 2))
    2
    >>> pool.close()
    """

    def __init__(self, *, max_threads: int = MAX_THREADS, max_calls_per_owner: int = MAX_CALLS_PER_OWNER) -> None:
        self._max_threads = max_threads
        self._max_calls_per_owner = max_calls_per_owner
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._outstanding = 0
        self._is_closed = False
        self._running: dict[str, int] = {}
        self._waiting: dict[str, list[Callable[[], None]]] = {}

    @property
    def threads(self) -> int:
        """How many threads live now."""
        return self._threads

    async def run(self, owner: str, function: Callable[..., T], /, *args: Any) -> T:
        """Call `function(*args)` in a thread, in a copy of the caller's context, and return its result.

        Args:
            owner: Whose cap the call counts against.
            function: What blocks.
            *args: Its arguments.

        Raises:
            LimitExceededError: Too many calls of this owner are waiting already.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()

        def deliver(setter: Callable[[Any], None], value: Any) -> None:
            if not future.done():
                setter(value)

        def work() -> None:
            if future.done():
                # Taken back while it waited for a thread: what nobody waits for any more must have no effect.
                self._finished(owner)
                return
            try:
                result = context.run(function, *args)
            except BaseException as error:  # noqa: BLE001 - delivered to the caller, whatever it is
                outcome: tuple[Callable[[Any], None], Any] = (future.set_exception, _carried(error))
            else:
                outcome = (future.set_result, result)
            self._finished(owner)
            try:
                loop.call_soon_threadsafe(deliver, *outcome)
            except RuntimeError:
                # The loop is closed: the server has stopped, and nobody waits for the result.
                return

        self._submit(owner, work)
        return await future

    def close(self) -> None:
        """Let the threads end once they are idle; does not wait for functions that still run."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            threads = self._threads
        for _ in range(threads):
            self._queue.put(None)

    def _submit(self, owner: str, work: Callable[[], None]) -> None:
        with self._lock:
            if self._is_closed:
                raise LimitExceededError("shutdown", "the server is shutting down")
            if self._running.get(owner, 0) >= self._max_calls_per_owner:
                waiting = self._waiting.setdefault(owner, [])
                if len(waiting) >= MAX_WAITING_PER_OWNER:
                    raise LimitExceededError("blocking_calls", "too many calls are waiting; call again later")
                waiting.append(work)
                return
            self._start(owner, work)

    def _start(self, owner: str, work: Callable[[], None]) -> None:
        """Hand `work` to a thread; the lock is held."""
        self._running[owner] = self._running.get(owner, 0) + 1
        self._outstanding += 1
        if self._outstanding > self._threads and self._threads < self._max_threads:
            self._threads += 1
            threading.Thread(target=self._loop, name="mcp-server-blocking", daemon=True).start()
        self._queue.put(work)

    def _finished(self, owner: str) -> None:
        with self._lock:
            self._outstanding -= 1
            left = self._running[owner] - 1
            if left:
                self._running[owner] = left
            else:
                del self._running[owner]
            waiting = self._waiting.get(owner)
            if waiting:
                work = waiting.pop(0)
                if not waiting:
                    del self._waiting[owner]
                self._start(owner, work)

    def _loop(self) -> None:
        while (work := self._queue.get()) is not None:
            work()
            del work
        with self._lock:
            self._threads -= 1


def _carried(error: BaseException) -> BaseException:
    """Return what says the same as `error` and can travel through a future.

    A future takes no StopIteration; and who waits for one is closed by a GeneratorExit, not told of it.
    """
    if isinstance(error, (StopIteration, GeneratorExit)):
        carried = RuntimeError(f"the function raised {type(error).__name__}")
        carried.__cause__ = error
        return carried
    return error
