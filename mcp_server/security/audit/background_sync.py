"""Brings what was written to the disk, behind the callers' backs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError

if TYPE_CHECKING:
    import asyncio

# At most this long after it was written a record is on its way to the disk.
SYNC_INTERVAL_SECONDS: Final = 0.05

# Short against the seconds an intruder needs, long against the gaps within a burst of calls.
IDLE_SECONDS: Final = 0.5


class BackgroundSync:
    """A thread that syncs while records come in and sleeps while none do.

    It knows nothing of files: `sync` brings everything written so far to the disk and returns the number of the last
    record that is there. Those who wait for the same sync share it (group commit).

    Args:
        sync: Called on the thread; raises `OSError` when the disk refuses, after which the thread ends.
        idle_work: Called once when nothing has come in for `idle_seconds` after a sync; may raise `OSError` as well.
        on_failure: Told the error.
        interval_seconds: How long records may gather before a sync nobody waits for.
        idle_seconds: When the writer counts as idle.

    >>> BackgroundSync(sync=lambda: 0, idle_work=lambda: None, on_failure=print).is_running
    False
    """

    def __init__(
        self,
        *,
        sync: Callable[[], int],
        idle_work: Callable[[], None],
        on_failure: Callable[[OSError], None],
        interval_seconds: float = SYNC_INTERVAL_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._sync = sync
        self._idle_work = idle_work
        self._on_failure = on_failure
        self._interval_seconds = interval_seconds
        self._idle_seconds = idle_seconds
        self._thread: threading.Thread | None = None
        self._work = threading.Event()
        self._hurry = threading.Event()
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._is_stopping = False
        self._owes_idle_work = False
        self._failure: OSError | None = None
        self.synced_seq = -1
        # Read by the writer after each record: whether `notify` has to be called.
        self.is_asleep = True

    @property
    def is_running(self) -> bool:
        """Whether the thread lives."""
        return self._thread is not None and self._thread.is_alive()

    def notify(self) -> None:
        """Wake the thread; start it the first time."""
        self.is_asleep = False
        self._work.set()
        if self._thread is None:
            with self._lock:
                self._start()

    def _start(self) -> None:
        if self._thread is None and not self._is_stopping:
            self._thread = threading.Thread(target=self._run, name="audit-sync", daemon=True)
            self._thread.start()

    async def wait_for(self, seq: int) -> None:
        """Return when record `seq` is on disk.

        Raises:
            AuditUnavailableError: It did not get there.
        """
        import asyncio

        loop = asyncio.get_running_loop()
        with self._lock:
            if seq <= self.synced_seq:
                return
            if self._failure is not None or self._is_stopping:
                raise AuditUnavailableError("the audit log could not be brought to the disk; ask the operator")
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.append((seq, loop, future))
        self._hurry.set()
        self.notify()
        await future

    def stop(self) -> None:
        """End the thread and wait for its end. Who still waits is served by the `finish` that must follow."""
        with self._lock:
            self._is_stopping = True
        self._hurry.set()
        self._work.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def finish(self, synced_seq: int) -> None:
        """Answer everybody who waits: with success up to `synced_seq`, with an error beyond."""
        with self._lock:
            self.synced_seq = max(self.synced_seq, synced_seq)
            waiting, self._waiting = self._waiting, []
        for seq, loop, future in waiting:
            _answer(loop, future, is_synced=seq <= self.synced_seq)

    def _run(self) -> None:
        try:
            while self._round():
                pass
        except OSError as error:
            with self._lock:
                self._failure = error
            self._on_failure(error)
            self.finish(self.synced_seq)

    def _round(self) -> bool:
        """Wait for work and do it; return False when the thread is to end."""
        if not self._work.wait(self._idle_seconds if self._owes_idle_work else None):
            self._owes_idle_work = False
            self._idle_work()
            return True
        # From here on a writer need not call us.
        self._hurry.wait(self._interval_seconds)
        if self._is_stopping:
            return False
        self._hurry.clear()
        self._work.clear()
        # Whoever saw False before this line has written already and is covered by the sync below.
        self.is_asleep = True
        self._answer_up_to(self._sync())
        self._owes_idle_work = True
        return True

    def _answer_up_to(self, synced_seq: int) -> None:
        with self._lock:
            self.synced_seq = synced_seq
            ready = [entry for entry in self._waiting if entry[0] <= synced_seq]
            self._waiting = [entry for entry in self._waiting if entry[0] > synced_seq]
        for _, loop, future in ready:
            _answer(loop, future, is_synced=True)


def _answer(loop: asyncio.AbstractEventLoop, future: asyncio.Future[None], *, is_synced: bool) -> None:
    def settle() -> None:
        if future.done():  # the waiter was cancelled
            return
        if is_synced:
            future.set_result(None)
        else:
            future.set_exception(
                AuditUnavailableError("the audit log could not be brought to the disk; ask the operator")
            )

    # The loop may have ended while the disk was busy; then nobody is left to tell.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)
