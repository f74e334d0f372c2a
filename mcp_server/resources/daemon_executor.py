"""Threads that do not keep the process alive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

MAX_THREADS: Final = 32
"""Functions that run at once, as in the standard executor."""


class DaemonExecutor(ThreadPoolExecutor):
    """What `asyncio.to_thread` uses in a server of its own: a function that never returns does not outlive it.

    The standard executor's threads are joined when the interpreter ends, however long that takes; a handler's stuck
    call would keep the process after its client has gone. The handlers' own way is `ClientContext.run_sync`.

    Args:
        max_threads: Functions that run at once.

    >>> executor = DaemonExecutor()
    >>> executor.submit(max, 1, 2).result()
    2
    >>> executor.shutdown()
    """

    def __init__(self, max_threads: int = MAX_THREADS) -> None:
        super().__init__(max_workers=1)
        self._slots = threading.Semaphore(max_threads)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call the function in a thread of its own."""
        future: Future[Any] = Future()

        def work() -> None:
            with self._slots:
                if not future.set_running_or_notify_cancel():
                    return
                try:
                    result = function(*args, **kwargs)
                except BaseException as error:  # noqa: BLE001 - delivered to who waits, whatever it is
                    future.set_exception(error)
                else:
                    future.set_result(result)

        threading.Thread(target=work, name="mcp-server-to-thread", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for nobody."""
        super().shutdown(wait=False, cancel_futures=cancel_futures)
