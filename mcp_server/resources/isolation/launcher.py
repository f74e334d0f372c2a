"""The one thread that starts processes."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError


class Launcher:
    """Starts processes from a thread that lives as long as it does.

    The kernel ends a sandbox with the *thread* that started it (`PR_SET_PDEATHSIG`): one that was started from a pool's
    thread would die when that thread does. Everything else is the same for every process as well: an empty environment,
    no descriptor but those it is given, a session of its own.

    Source: prctl(2), PR_SET_PDEATHSIG.

    >>> launcher = Launcher()
    >>> process = launcher.start(["/bin/true"]).result()
    >>> process.wait()
    0
    >>> launcher.close()
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[subprocess.Popen[bytes]], Callable[[], Any]] | None] = (
            queue.SimpleQueue()
        )
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def start(
        self,
        command: Sequence[str],
        *,
        descriptors: Sequence[int] = (),
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        stderr: int = subprocess.DEVNULL,
        owner: tuple[int, int] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Future[subprocess.Popen[bytes]]:
        """Start a program.

        Args:
            command: Its absolute path and its arguments.
            descriptors: What it inherits, under the same numbers.
            stdin: What it reads.
            stdout: What it writes to.
            stderr: What it complains to.
            owner: The user and group it runs as, without further groups; None for our own.
            environment: Its whole environment; empty unless something is given.

        Raises:
            ResourceUnavailableError: The launcher is closed.
        """

        def work() -> subprocess.Popen[bytes]:
            account: dict[str, Any] = {}
            if owner is not None:
                account = {"user": owner[0], "group": owner[1], "extra_groups": []}
            return subprocess.Popen(
                list(command),
                env=dict(environment or {}),
                cwd="/",
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                close_fds=True,
                pass_fds=descriptors,
                start_new_session=True,
                **account,
            )

        future: Future[subprocess.Popen[bytes]] = Future()
        with self._lock:
            if self._is_closed:
                raise ResourceUnavailableError("busy", "the server is stopping")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="mcp-server-launcher", daemon=True)
                self._thread.start()
        self._jobs.put((future, work))
        return future

    def close(self) -> None:
        """Start nothing more, and let the thread end: with it ends whatever it started."""
        with self._lock:
            self._is_closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - delivered to who waits, whatever it is
                future.set_exception(error)
