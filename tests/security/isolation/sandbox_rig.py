"""Real sandboxes for the attacks, and each of their barriers taken away, to show what it is that stops them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from subprocess import Popen
from typing import Any, TypeVar

from mcp_server.resources.execution_manager import ExecutionManager
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.interpreter import Interpreter
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.landlock_rules import LandlockRules
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.sandbox_factory import SandboxFactory
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.isolation.seccomp_filter import NETWORK_FAMILIES, SeccompFilter
from mcp_server.resources.kernel.landlock import Landlock

T = TypeVar("T")

ALLOW_ALL = bytes.fromhex("060000000000ff7f")
"""A system call filter that allows everything."""

NAMESPACES = ("user", "ipc", "pid", "net", "uts", "cgroup")

RUNNER = "/opt/mcp-server/mcp_server/resources/isolation/runner.py"

IS_ROOT = os.getuid() == 0
OWNER = (210_000, 210_000) if IS_ROOT else None
"""Who sandboxes run as: an account of their own where the tests run as root."""

_LIMITS = {field.name for field in fields(ResourceLimits)}
_POLICY = {"min_tier", "may_execute", "may_write", "environment", "network"}
# Options that are left out by name, and how many words follow them.
_WORDS = {
    "--disable-userns": 0,
    "--die-with-parent": 0,
    "--new-session": 0,
    "--clearenv": 0,
    "--cap-drop": 1,
    "--remount-ro": 1,
    "--hostname": 1,
}


class SandboxRig:
    """Launcher, factory and execution manager, as the server has them; made once, and used by many runs.

    Args:
        landlock: Whether there is Landlock.
        base_filter: The system call filter of everything inside; None for one that allows everything.
        network_filter: The one where something may be reached; None for one that allows everything.
        second_filter: Whether a run without programs gets the filter that takes them away.
        limits: Whether there are resource limits.
        shared: Namespaces that are the host's: `pid`, `net`, `ipc`, `uts`, `cgroup`.
        without: Options of bubblewrap that are left out.
        extra: Options that are added, before the root is closed.
        before: Words put before the command, such as `env` and a variable.
        spelt_out: Give bubblewrap its options on the command line.
        descriptors: Descriptors that are inherited beside the others.
        job: Changes what the runner is told.
        runner: Changes the text of the runner.
        program: What makes the namespaces.
        warm_workers: How many sandboxes stand ready.
        groups: Makes a control group for each run.
        owner: Who sandboxes run as; None for the tests' own user.
    """

    def __init__(
        self,
        *,
        landlock: bool = True,
        base_filter: bytes | None = b"",
        network_filter: bytes | None = b"",
        second_filter: bool = True,
        limits: bool = True,
        shared: Sequence[str] = (),
        without: Sequence[str] = (),
        extra: Sequence[str] = (),
        before: Sequence[str] = (),
        spelt_out: bool = False,
        descriptors: Sequence[int] = (),
        job: Callable[[dict[str, Any]], None] | None = None,
        runner: Callable[[str], str] | None = None,
        program: str = "/usr/bin/bwrap",
        warm_workers: int = 0,
        groups: ControlGroups | None = None,
        owner: tuple[int, int] | None = OWNER,
    ) -> None:
        self.owner = owner
        self.launcher = _RigLauncher(tuple(before), spelt_out, tuple(descriptors))
        self.interpreter = Interpreter.find(for_others=IS_ROOT)
        if base_filter == b"":
            base_filter = SeccompFilter.base(platform.machine())
        if network_filter == b"":
            network_filter = SeccompFilter.base(platform.machine(), families=NETWORK_FAMILIES)
        self.factory = SandboxFactory(
            launcher=self.launcher,
            filter_program=ALLOW_ALL if base_filter is None else base_filter,
            network_filter=ALLOW_ALL if network_filter is None else network_filter,
            bubblewrap=_RigBubblewrap(program, tuple(shared), tuple(without), tuple(extra)),
            interpreter=self.interpreter,
            groups=groups,
        )
        if runner is not None:
            self.factory._files = tuple(
                (path, runner(content.decode()).encode() if path == RUNNER else content)
                for path, content in self.factory._files
            )
        abi = Landlock().abi if landlock else 0
        self.execution = _RigExecution(second_filter, limits, job)
        ExecutionManager.__init__(
            self.execution,
            factory=self.factory,
            landlock=LandlockRules(abi),
            tier=IsolationTier.NS if groups is None else IsolationTier.FULL,
            warm_workers=warm_workers,
        )

    def close(self) -> None:
        """End everything."""
        self.factory.close()
        self.launcher.close()

    async def run(self, request: ExecutionRequest) -> ExecutionResult:
        """Run a request, in the loop that runs."""
        return await self.execution.run(request, owner=self.owner)

    async def run_alone(self, request: ExecutionRequest) -> ExecutionResult:
        """Run a request, and end what waits for the next; before the loop ends."""
        try:
            return await self.run(request)
        finally:
            await self.execution.close()

    def run_python(self, code: str, **options: Any) -> ExecutionResult:
        """Run a Python program to its end.

        Args:
            code: Its text.
            options: Fields of the policy, of its limits and of the request.
        """
        return in_loop(self.run_alone(request(code=code, **options)))

    def run_program(self, program: str, *arguments: str, **options: Any) -> ExecutionResult:
        """Run a program to its end, under a policy that allows that."""
        options = {"may_execute": True, "processes": 128} | options
        return in_loop(self.run_alone(request(program=program, arguments=arguments, **options)))

    def reached(self, code: str, **options: Any) -> dict[str, Any]:
        """Run a Python program that prints JSON, and return that; a program that fails fails the test."""
        result = self.run_python(code, **options)
        assert result.is_success, (result.reason, result.exit_code, result.signal, result.stderr.text())
        found: dict[str, Any] = json.loads(result.stdout.text())
        return found


class _RigLauncher(Launcher):
    """Starts bubblewrap as the server would, or with what it must not have."""

    def __init__(self, before: tuple[str, ...], spelt_out: bool, descriptors: tuple[int, ...]) -> None:
        super().__init__()
        self._before = before
        self._spelt_out = spelt_out
        self._more = descriptors

    def start(self, command: Sequence[str], **options: Any) -> Future[Popen[bytes]]:
        words = list(command)
        if self._spelt_out:
            place = words.index("--args")
            with open(os.dup(int(words[place + 1])), "rb") as file:
                words[place : place + 2] = file.read().decode().split("\0")
        options["descriptors"] = [*options.get("descriptors", ()), *self._more]
        return super().start([*self._before, *words], **options)


class _RigBubblewrap(Bubblewrap):
    """Writes the options without some of them."""

    def __init__(self, program: str, shared: tuple[str, ...], without: tuple[str, ...], extra: tuple[str, ...]) -> None:
        super().__init__(program)
        self._shared = shared
        self._without = without
        self._extra = extra

    def options(self, **given: Any) -> list[str]:
        options = super().options(**given)
        if self._shared:
            place = options.index("--unshare-all")
            options[place : place + 1] = [f"--unshare-{name}" for name in NAMESPACES if name not in self._shared]
        if "pid" in self._shared:
            # A new one shows no processes but those of a namespace of its own.
            place = options.index("--proc")
            options[place] = "--bind"
            options.insert(place + 1, "/proc")
        # What is mounted comes before the root is closed.
        place = options.index("--remount-ro")
        options[place:place] = self._extra
        for name in self._without:
            place = options.index(name)
            del options[place : place + 1 + _WORDS[name]]
        return options


class _RigExecution(ExecutionManager):
    """Tells the runner less than all."""

    def __init__(self, second_filter: bool, limits: bool, change: Callable[[dict[str, Any]], None] | None) -> None:
        # The rig calls the base class, which has more to know than this.
        self._second_filter = second_filter
        self._with_limits = limits
        self._change = change

    def job(self, request: ExecutionRequest, view: SandboxView) -> dict[str, Any]:
        job = super().job(request, view)
        if not self._second_filter:
            job["filters"] = []
        if not self._with_limits:
            job["limits"] = {}
        if self._change is not None:
            self._change(job)
        return job


def request(**options: Any) -> ExecutionRequest:
    """Return a request from fields of the policy, of its limits and of the request, all in one."""
    limits = ResourceLimits(**{name: options.pop(name) for name in _LIMITS & options.keys()})
    policy = SandboxPolicy(limits=limits, **{name: options.pop(name) for name in _POLICY & options.keys()})
    return ExecutionRequest(policy=policy, **options)


def in_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own, and let nothing take a minute."""

    async def bounded() -> T:
        async with asyncio.timeout(60):
            return await work

    return asyncio.run(bounded())


@contextmanager
def rig_with(**barriers: Any) -> Iterator[SandboxRig]:
    """A rig of its own."""
    rig = SandboxRig(**barriers)
    try:
        yield rig
    finally:
        rig.close()


@contextmanager
def opened(directory: Path) -> Iterator[int]:
    """A directory, open as a workspace, and belonging to whom sandboxes run as."""
    if OWNER is not None:
        os.chown(directory, *OWNER)
        for path in directory.rglob("*"):
            os.chown(path, *OWNER, follow_symlinks=False)
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def processes_with(marker: str) -> list[int]:
    """Return the processes that have a text in their command line, zombies left out."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if marker.encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


def outcome(result: ExecutionResult) -> Mapping[str, Any]:
    """Return what tells the end of a run apart from others."""
    return {"reason": str(result.reason), "exit_code": result.exit_code, "signal": result.signal}
