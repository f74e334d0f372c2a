"""Making sandboxes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from mcp_server.resources.isolation.bubblewrap import (
    AUTHORITIES,
    AUTHORITIES_OF_THE_HOST,
    ETC,
    ETC_OF_THE_HOST,
    HOST_DIRECTORIES,
    PACKAGE,
    Bubblewrap,
)
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.interpreter import INSIDE, Interpreter
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker
from mcp_server.resources.isolation.worker_factory import INTERPRETER_OPTIONS, WorkerFactory

_RUN: Final = (
    f"import sys; sys.path.append({PACKAGE!r}); sys.dont_write_bytecode = True\n"
    "from mcp_server.resources.isolation.runner import main; main()"
)
_RUNNER: Final = (
    "resources/isolation/relay.py",
    "resources/isolation/runner.py",
    "resources/kernel/close_range.py",
    "resources/kernel/landlock.py",
    "resources/kernel/prctl.py",
    "resources/kernel/seccomp.py",
)
"""All of this package that exists inside; the packages around them are empty there."""

_PACKAGES: Final = ("", "resources/", "resources/isolation/", "resources/kernel/")


class SandboxFactory(WorkerFactory):
    """Makes sandboxes of namespaces, each with a runner that waits in it.

    Args:
        launcher: Starts processes.
        filter_program: The system call filter of everything inside.
        network_filter: The one of everything inside where something may be reached.
        bubblewrap: Writes the options.
        interpreter: The Python inside.
        groups: Makes a control group for each; None where the system lets nobody.
    """

    def __init__(
        self,
        *,
        launcher: Launcher,
        filter_program: bytes,
        network_filter: bytes,
        bubblewrap: Bubblewrap,
        interpreter: Interpreter,
        groups: ControlGroups | None = None,
    ) -> None:
        super().__init__(launcher=launcher, groups=groups)
        self._filter_program = filter_program
        self._network_filter = network_filter
        self._bubblewrap = bubblewrap
        self._interpreter = interpreter
        beside = [f"/{name}" for name in HOST_DIRECTORIES]
        system = ["/usr", *(path for path in beside if os.path.isdir(path) and not os.path.islink(path))]
        self._view = SandboxView(system=(*system, INSIDE) if interpreter.prefix is not None else tuple(system))
        self._files = tuple(_files())
        self._interpreter_fd: int | None = None
        if interpreter.prefix is not None:
            self._interpreter_fd = os.open(interpreter.prefix, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        """Make no more; harmless when done already."""
        descriptor, self._interpreter_fd = self._interpreter_fd, None
        if descriptor is not None:
            os.close(descriptor)

    async def _start(self, shape: SandboxShape) -> SandboxWorker:
        with contextlib.ExitStack() as theirs:

            def readable(content: bytes) -> int:
                descriptor = _readable(content)
                theirs.callback(os.close, descriptor)
                return descriptor

            def opened(path: str) -> int:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
                theirs.callback(os.close, descriptor)
                return descriptor

            files = [(path, readable(content)) for path, content in self._files]
            if shape.has_network:
                files += [(path, readable(content)) for path, content in _authorities()]
            code = [(path, opened(path)) for path in shape.code]
            filter_fd = readable(self._network_filter if shape.has_network else self._filter_program)
            status_read, status_write = os.pipe2(os.O_CLOEXEC)
            theirs.callback(os.close, status_write)
            options = self._bubblewrap.options(
                interpreter=self._interpreter,
                interpreter_fd=self._interpreter_fd,
                workspace_fd=shape.workspace,
                may_write=shape.may_write,
                files=files,
                seccomp_fd=filter_fd,
                status_fd=status_write,
                limits=ResourceLimits(tmp_bytes=shape.tmp_bytes),
                workspace_path=shape.workspace_path,
                code=code,
            )
            # By a descriptor, for whoever is inside can read the arguments of the first process.
            options_fd = readable("\0".join(options).encode())
            given = [filter_fd, options_fd, *(descriptor for _, descriptor in files)]
            given += [descriptor for _, descriptor in code]
            given += [each for each in (self._interpreter_fd, shape.workspace) if each is not None]
            view = replace(
                self._view,
                workspace=shape.workspace_path,
                readable=(*self._view.readable, *shape.code),
                # Whoever imports a file looks at what lies around it; nothing does here but what is to be found.
                listable=tuple({os.path.dirname(path): None for path in shape.code}),
            )
            command = [self._bubblewrap.program, "--args", str(options_fd), "--", self._interpreter.program]
            return await self._launch(
                SandboxWorker,
                view,
                shape,
                before=[*command, *INTERPRETER_OPTIONS, "-c", _RUN],
                after=(),
                descriptors=given,
                status=(status_read, status_write),
            )


def _files() -> Iterator[tuple[str, bytes]]:
    """Return the files that are made inside: those of `/etc`, and the runner."""
    for name, content in ETC.items():
        yield f"/etc/{name}", content
    for name in ETC_OF_THE_HOST:
        with contextlib.suppress(OSError):
            yield f"/etc/{name}", Path("/etc", name).read_bytes()
    here = Path(__file__).parents[2]
    for package in _PACKAGES:
        yield f"{PACKAGE}/mcp_server/{package}__init__.py", b""
    for name in _RUNNER:
        yield f"{PACKAGE}/mcp_server/{name}", (here / name).read_bytes()


def _authorities() -> Iterator[tuple[str, bytes]]:
    """Return the file of the authorities that the machine believes, if it has one: they are no secret."""
    for path in AUTHORITIES_OF_THE_HOST:
        with contextlib.suppress(OSError):
            yield AUTHORITIES, Path(path).read_bytes()
            return


def _readable(content: bytes) -> int:
    """Return a descriptor from which a program reads these bytes."""
    descriptor = os.memfd_create("mcp-server", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
