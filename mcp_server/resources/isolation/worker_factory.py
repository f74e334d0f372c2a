"""What all makers of sandboxes share."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker

INTERPRETER_OPTIONS: Final = ("-I", "-S", "-B", "-X", "utf8")
"""No environment, no directory of the user or the workspace, no site packages: nothing planted is imported."""


class WorkerFactory(ABC):
    """Makes sandboxes, each with a runner that waits in it.

    Args:
        launcher: Starts processes.
        groups: Makes a control group for each; None where the system lets nobody.
    """

    def __init__(self, *, launcher: Launcher, groups: ControlGroups | None = None) -> None:
        self._launcher = launcher
        self._groups = groups

    async def make(self, shape: SandboxShape) -> SandboxWorker:
        """Return a sandbox whose runner waits.

        Raises:
            ResourceUnavailableError: It cannot be made.
        """
        # What is being started has the descriptors that it was given, so whoever is cancelled meanwhile waits for it.
        starting = asyncio.ensure_future(self._start(shape))
        try:
            worker = await asyncio.shield(starting)
        except asyncio.CancelledError:
            worker = await starting
            await worker.end()
            raise
        except OSError as error:
            raise ResourceUnavailableError(
                "missing", "the sandbox could not be made; ask the operator to run the doctor"
            ) from error
        try:
            await worker.ready()
            # Before it has a job, so that whatever the job starts is born in the group.
            if self._groups is not None:
                worker.group = self._groups.make()
                worker.group.add(worker.runner)
        except OSError as error:
            await worker.end()
            raise ResourceUnavailableError(
                "missing", "the sandbox could not be put into a control group; ask the operator to run the doctor"
            ) from error
        except BaseException:
            await worker.end()
            raise
        return worker

    @abstractmethod
    def plan(self, shape: SandboxShape) -> tuple[list[str], SandboxView]:
        """Return the command that makes a sandbox of that shape, and where things are in it; starts nothing.

        Descriptors, and what is made for one run alone, stand there as what they are, in braces.
        """

    @abstractmethod
    def close(self) -> None:
        """Make no more; harmless when done already."""

    @abstractmethod
    async def _start(self, shape: SandboxShape) -> SandboxWorker:
        """Return a sandbox that was started and may not stand yet."""

    async def _launch(
        self,
        worker_class: type[SandboxWorker],
        view: SandboxView,
        shape: SandboxShape,
        *,
        before: Sequence[str],
        after: Sequence[str],
        descriptors: Sequence[int],
        status: tuple[int, int],
    ) -> SandboxWorker:
        """Start a command that becomes a runner, with streams and a socket of its own.

        Args:
            worker_class: What the host's end is.
            view: Where things are inside.
            shape: For the account.
            before: The command, up to the numbers of its sockets.
            after: What follows it.
            descriptors: What it inherits beside the socket and the status.
            status: Where it tells its first process: our end, which becomes the worker's, and its own, which stays the
                caller's.
        """
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as theirs_alone, contextlib.ExitStack() as ours_alone:
            theirs_alone.callback(theirs.close)
            ours_alone.callback(ours.close)
            ours_alone.callback(os.close, status[0])
            connections: socket.socket | None = None
            given = [theirs.fileno()]
            if shape.has_network:
                # One message is one connection.
                connections, channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                theirs_alone.callback(channel.close)
                ours_alone.callback(connections.close)
                given.append(channel.fileno())
            pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(3)]
            stdin, stdout, stderr = pipes
            for descriptor in (stdin[0], stdout[1], stderr[1]):
                theirs_alone.callback(os.close, descriptor)
            for descriptor in (stdin[1], stdout[0], stderr[0]):
                ours_alone.callback(os.close, descriptor)
            started = self._launcher.start(
                [*before, *map(str, given), *after],
                descriptors=[*given, status[1], *descriptors],
                stdin=stdin[0],
                stdout=stdout[1],
                stderr=stderr[1],
                owner=shape.owner,
            )
            process = await asyncio.wrap_future(started)
            worker = worker_class(
                process=process,
                control=ours,
                stdin=stdin[1],
                stdout=stdout[0],
                stderr=stderr[0],
                status=status[0],
                view=view,
                connections=connections,
            )
            ours_alone.pop_all()
        return worker
