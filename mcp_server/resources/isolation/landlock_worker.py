"""A sandbox without namespaces that waits for its only job."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess

from mcp_server.resources.isolation.sandbox_worker import END_SECONDS, REAP_SECONDS, SandboxWorker
from mcp_server.resources.isolation.staging_area import StagingArea
from mcp_server.resources.process_tree import ProcessTree


class LandlockWorker(SandboxWorker):
    """The host's end of a runner that ends what it started by itself, when it has ended or is told to."""

    _area: StagingArea | None = None

    def keep(self, area: StagingArea) -> None:
        """Take over the run's directory, to be removed with it."""
        self._area = area

    @property
    def processes(self) -> list[int]:
        """The runner, which is all there is before it has a job."""
        return [self.process.pid]

    @property
    def runner(self) -> int:
        """The runner."""
        return self.process.pid

    def kill(self) -> None:
        """Tell the runner to end everything, by the end of its socket: it notices even when it is told nothing."""
        with contextlib.suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)

    async def ended(self) -> None:
        """Return when the runner has ended, and with it all that it started."""
        pidfd, self._pidfd = self._pidfd, None
        if pidfd is None:
            return
        self.kill()
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        loop.add_reader(pidfd.fileno(), gone.set)
        try:
            async with asyncio.timeout(END_SECONDS):
                await gone.wait()
        except TimeoutError:
            # It is stuck, or was made to be: then from out here.
            ProcessTree().kill_descendants(self.process.pid)
        finally:
            loop.remove_reader(pidfd.fileno())
            with contextlib.suppress(ProcessLookupError):
                pidfd.send_signal(signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(REAP_SECONDS)
            pidfd.close()
            area, self._area = self._area, None
            if area is not None:
                await asyncio.to_thread(area.discard)

    def _look_for_first(self) -> bool:
        """There is no other first process than the runner."""
        return False
