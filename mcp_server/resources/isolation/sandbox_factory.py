"""Making sandboxes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
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

_NO_DESCRIPTOR: Final = 1 << 40
"""Beyond every descriptor, size and number in the options."""

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

    def plan(self, shape: SandboxShape) -> tuple[list[str], SandboxView]:
        """Return the command that makes a sandbox of that shape, and where things are in it; starts nothing."""
        names: dict[str, str] = {}
        inside = {path for path, _ in self._contents(shape)}

        def named(what: str) -> int:
            # Of a size that no other word of the command has.
            number = _NO_DESCRIPTOR + len(names)
            names[str(number)] = f"{{{what}}}"
            return number

        options = self._options(
            shape._replace(workspace=None if shape.workspace is None else named("workspace")),
            interpreter_fd=None if self._interpreter.prefix is None else named("interpreter"),
            readable=lambda path, content: named("contents" if path in inside else path),
            opened=named,
            status=named("status"),
        )
        words = [self._bubblewrap.program, *options, "--", self._interpreter.program, *INTERPRETER_OPTIONS, "{runner}"]
        return [names.get(word, word) for word in words], self._view_of(shape)

    async def _start(self, shape: SandboxShape) -> SandboxWorker:
        with contextlib.ExitStack() as theirs:
            given = [each for each in (self._interpreter_fd, shape.workspace) if each is not None]

            def keep(descriptor: int) -> int:
                theirs.callback(os.close, descriptor)
                given.append(descriptor)
                return descriptor

            status_read, status_write = os.pipe2(os.O_CLOEXEC)
            theirs.callback(os.close, status_write)
            options = self._options(
                shape,
                interpreter_fd=self._interpreter_fd,
                readable=lambda path, content: keep(_readable(content)),
                opened=lambda path: keep(os.open(path, os.O_PATH | os.O_CLOEXEC)),
                status=status_write,
            )
            # By a descriptor, for whoever is inside can read the arguments of the first process.
            options_fd = keep(_readable("\0".join(options).encode()))
            command = [self._bubblewrap.program, "--args", str(options_fd), "--", self._interpreter.program]
            return await self._launch(
                SandboxWorker,
                self._view_of(shape),
                shape,
                before=[*command, *INTERPRETER_OPTIONS, "-c", _RUN],
                after=(),
                descriptors=given,
                status=(status_read, status_write),
            )

    def _options(
        self,
        shape: SandboxShape,
        *,
        interpreter_fd: int | None,
        readable: Callable[[str, bytes], int],
        opened: Callable[[str], int],
        status: int,
    ) -> list[str]:
        """Return the options of a sandbox.

        Args:
            shape: Which.
            interpreter_fd: The interpreter's installation, open; None where `/usr` holds it.
            readable: Makes a descriptor that the contents of a file inside are read from.
            opened: Makes a descriptor of a file or directory of the host.
            status: Where the sandbox tells its first process.
        """
        return self._bubblewrap.options(
            interpreter=self._interpreter,
            interpreter_fd=interpreter_fd,
            workspace_fd=shape.workspace,
            may_write=shape.may_write,
            files=[(path, readable(path, content)) for path, content in self._contents(shape)],
            seccomp_fd=readable(
                "the system call filter", self._network_filter if shape.has_network else self._filter_program
            ),
            status_fd=status,
            limits=ResourceLimits(tmp_bytes=shape.tmp_bytes),
            workspace_path=shape.workspace_path,
            code=[(path, opened(path)) for path in shape.code],
        )

    def _contents(self, shape: SandboxShape) -> list[tuple[str, bytes]]:
        return [*self._files, *(_authorities() if shape.has_network else ())]

    def _view_of(self, shape: SandboxShape) -> SandboxView:
        return replace(
            self._view,
            workspace=shape.workspace_path,
            readable=(*self._view.readable, *shape.code),
            # Whoever imports a file looks at what lies around it; nothing does here but what is to be found.
            listable=tuple({os.path.dirname(path): None for path in shape.code}),
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
