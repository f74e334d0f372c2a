"""Making sandboxes where there are no namespaces."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.landlock_worker import LandlockWorker
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker
from mcp_server.resources.isolation.staging_area import StagingArea
from mcp_server.resources.isolation.worker_factory import INTERPRETER_OPTIONS, WorkerFactory

_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_READABLE: Final = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class LandlockFactory(WorkerFactory):
    """Starts runners among the host's own processes; Landlock, filters and limits are all that contains what they run.

    What Landlock does not control is taken away by a filter: modes, owners and times of files that can be walked to.
    Nothing of `/proc` can be opened, so no process of the host can be looked at; none can be signalled. What is started
    is found and ended by the runner, which what it runs can neither signal nor trace.

    Args:
        launcher: Starts processes.
        filters: The system call filters that hold for every run.
        program: The absolute path of the interpreter.
        prefix: Its installation.
        scratch: Makes a directory for one run, for an account.
        groups: Makes a control group for each; None where the system lets nobody.
    """

    def __init__(
        self,
        *,
        launcher: Launcher,
        filters: tuple[bytes, ...],
        program: str,
        prefix: str,
        scratch: Callable[[tuple[int, int] | None], StagingArea],
        groups: ControlGroups | None = None,
    ) -> None:
        super().__init__(launcher=launcher, groups=groups)
        self._filters = filters
        self._program = program
        self._scratch = scratch
        self._package = str(Path(__file__).parents[3])
        found = {path: None for path in (*_SYSTEM, prefix) if os.path.isdir(path)}
        self._system = tuple(found)
        self._readable = tuple(path for path in _READABLE if os.path.exists(path))

    def close(self) -> None:
        """Make no more; nothing is held open."""

    def plan(self, shape: SandboxShape) -> tuple[list[str], SandboxView]:
        """Return the command that makes a sandbox of that shape, and where things are in it; starts nothing."""
        view = self._view_of("{scratch}", None if shape.workspace is None else "{workspace}")
        return [self._program, *INTERPRETER_OPTIONS, "{runner}"], view

    def _view_of(self, scratch: str, workspace: str | None) -> SandboxView:
        return SandboxView(
            workspace=scratch if workspace is None else workspace,
            scratch=(scratch,),
            readable=self._readable,
            devices=_DEVICES,
            system=self._system,
            hidden=self._package,
            environment={"HOME": scratch, "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TMPDIR": scratch},
            filters=self._filters,
            shares_processes=True,
        )

    async def _start(self, shape: SandboxShape) -> SandboxWorker:
        if shape.has_network:
            # Its relay would listen on the host, for everybody.
            raise ResourceUnavailableError("missing", "without namespaces there is no network for what is run")
        if shape.code:
            # Files would not be found under their own names: those are the host's.
            raise ResourceUnavailableError("missing", "without namespaces a handler cannot run in a worker of its own")
        area = self._scratch(shape.owner)
        # Its owner made it for this run, in a directory that nobody else may enter.
        workspace = None if shape.workspace is None else os.readlink(f"/proc/self/fd/{shape.workspace}")
        view = self._view_of(area.path, workspace)
        run = (
            f"import sys; sys.path.append({self._package!r})\n"
            "from mcp_server.resources.isolation.runner import main; main()"
        )
        read, write = os.pipe2(os.O_CLOEXEC)
        try:
            worker = await self._launch(
                LandlockWorker,
                view,
                shape,
                before=[self._program, *INTERPRETER_OPTIONS, "-c", run],
                after=(),
                descriptors=(),
                status=(read, write),
            )
        except BaseException:
            area.discard()
            raise
        finally:
            os.close(write)
        assert isinstance(worker, LandlockWorker)
        worker.keep(area)
        return worker
