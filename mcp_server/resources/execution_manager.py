"""Running code and programs that nobody trusts."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.bubblewrap import AUTHORITIES
from mcp_server.resources.isolation.conversation import Conversation
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.execution_result import ExecutionResult
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.landlock_rules import LandlockRules
from mcp_server.resources.isolation.relay import Relay
from mcp_server.resources.isolation.run_plan import RunPlan
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.isolation.sandbox_run import SandboxRun
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker
from mcp_server.resources.isolation.seccomp_filter import SeccompFilter
from mcp_server.resources.isolation.worker_factory import WorkerFactory
from mcp_server.resources.isolation.worker_pool import WorkerPool
from mcp_server.resources.kernel.landlock import Landlock

CONVERSATION_SECONDS: Final = 86_400.0
"""Longer than any call with all its questions to humans: a call has a deadline of its own."""

_RUNNER_FILES: Final = 16
"""Descriptors beyond what a run may open, for what the interpreter itself has open."""


class ExecutionManager:
    """Run one request in a sandbox of its own that ends with it.

    Args:
        factory: Makes the sandboxes.
        landlock: Compiles the rules of files.
        tier: What the sandboxes hold, as it was found out.
        warm_workers: How many sandboxes wait for each client that runs code.
    """

    def __init__(
        self,
        *,
        factory: WorkerFactory,
        landlock: LandlockRules,
        tier: IsolationTier,
        warm_workers: int = 0,
    ) -> None:
        self.factory = factory
        self.landlock = landlock
        self._pool = WorkerPool(factory=factory, size=warm_workers)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._tier = tier
        self._no_execution = SeccompFilter.no_execution(platform.machine())
        self._connect_only = SeccompFilter.connect_only(platform.machine())

    async def run(self, request: ExecutionRequest, *, owner: tuple[int, int] | None = None) -> ExecutionResult:
        """Run a request to its end.

        Args:
            request: What is to be run.
            owner: The user and group that it runs as on the host, None for the server's own.

        Raises:
            ResourceUnavailableError: The sandbox asked for cannot be had, so nothing was run.
        """
        worker = await self.prepare(request, owner=owner)
        try:
            job = self.job(request, worker.view)
            return await SandboxRun(worker=worker, request=request, job=job, tier=self._tier).run()
        finally:
            self._clean_up(worker)

    @asynccontextmanager
    async def conversation(
        self, request: ExecutionRequest, *, owner: tuple[int, int] | None = None
    ) -> AsyncIterator[tuple[Conversation, Callable[[Callable[[bytes], None]], asyncio.Task[EndReason]]]]:
        """Make a conversation, and what begins it, given who listens; it is over when the block is left.

        Args:
            request: What is to be run.
            owner: The user and group that it runs as on the host, None for the server's own.

        Raises:
            ResourceUnavailableError: The sandbox asked for cannot be had, so nothing was run.
        """
        worker = await self.prepare(request, owner=owner)
        conversation = Conversation(
            worker=worker,
            request=request,
            job=self.job(request, worker.view),
            wall_seconds=CONVERSATION_SECONDS,
        )
        begun: list[asyncio.Task[EndReason]] = []

        def begin(on_message: Callable[[bytes], None]) -> asyncio.Task[EndReason]:
            running = asyncio.create_task(conversation.run(on_message), name="mcp-server-conversation")
            # Whoever is cancelled twice leaves before it has ended; then `close` waits for it.
            self._tasks.add(running)
            running.add_done_callback(self._tasks.discard)
            begun.append(running)
            return running

        try:
            yield conversation, begin
        finally:
            conversation.end()
            try:
                if begun:
                    await asyncio.wait(begun)
                else:
                    await worker.end()
            finally:
                for running in begun:
                    if running.done() and not running.cancelled():
                        running.exception()
                self._clean_up(worker)

    async def prepare(self, request: ExecutionRequest, *, owner: tuple[int, int] | None = None) -> SandboxWorker:
        """Return a sandbox that stands, and is bounded as the request's policy says; whoever asks ends it.

        Args:
            request: What is to be run.
            owner: The user and group that it runs as on the host, None for the server's own.

        Raises:
            ResourceUnavailableError: The sandbox asked for cannot be had.
        """
        policy = request.policy
        if self._tier < policy.min_tier:
            raise ResourceUnavailableError(
                "missing",
                f"this needs isolation {policy.min_tier.label!r} and the machine gives {self._tier.label!r}, "
                "so nothing was run; ask the operator to run the doctor",
            )
        if policy.network and self._tier < IsolationTier.NS:
            raise ResourceUnavailableError(
                "missing",
                f"isolation {self._tier.label!r} has no network of its own, in which nothing but the proxy could be "
                "reached, so nothing was run; run it without a network, or ask the operator to run the doctor",
            )
        worker = await self._pool.take(self._shape(request, owner))
        try:
            if worker.group is not None:
                worker.group.limit(policy.limits)
        except OSError as error:
            await worker.end()
            raise ResourceUnavailableError(
                "missing", "the control group of the sandbox cannot be limited, so nothing was run; ask the operator"
            ) from error
        return worker

    def plan(self, request: ExecutionRequest, *, owner: tuple[int, int] | None = None) -> RunPlan:
        """Return what a run of that request would be, made as the run itself is; starts nothing.

        Args:
            request: What would be run.
            owner: The user and group that it would run as on the host, None for the server's own.
        """
        command, view = self.factory.plan(self._shape(request, owner))
        job = self.job(request, view)
        landlock = job["landlock"]
        names = {self._no_execution.hex(): "no execution", self._connect_only.hex(): "no network but the relay's"}
        filters = [names.get(each, "what the tier has instead of namespaces") for each in job["filters"]]
        if "--seccomp" in command:
            filters.insert(0, "the allow-list of every sandbox")
        limits = request.policy.limits
        return RunPlan(
            tier=self._tier,
            sandbox=tuple(_by_option(command)),
            arguments=(request.program or "python", *request.arguments),
            directory=job["directory"],
            environment=job["environment"],
            owner=None if owner is None else owner[0],
            landlock=None if landlock is None else {path: Landlock.fs_names(may) for path, may in landlock["rules"]},
            filters=tuple(filters),
            limits=job["limits"],
            bounds={
                "wall_seconds": limits.wall_seconds,
                "memory_bytes": limits.memory_bytes,
                "processes": limits.processes,
                "stdout_bytes": limits.stdout_bytes,
                "stderr_bytes": limits.stderr_bytes,
                "network": list(request.policy.network),
                "policy": request.policy.digest,
            },
        )

    async def close(self) -> None:
        """End the sandboxes that wait, and remove what the others left."""
        await self._pool.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @staticmethod
    def _shape(request: ExecutionRequest, owner: tuple[int, int] | None) -> SandboxShape:
        policy = request.policy
        return SandboxShape(
            policy.limits.tmp_bytes,
            request.workspace,
            policy.may_write,
            owner,
            has_network=bool(policy.network),
            workspace_path=request.workspace_path,
            code=request.code_paths,
        )

    def _clean_up(self, worker: SandboxWorker) -> None:
        """Remove the control group of a sandbox that has ended; nobody waits for it."""
        if worker.group is not None:
            task = asyncio.create_task(worker.group.end(), name="mcp-server-control-group")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def job(self, request: ExecutionRequest, view: SandboxView) -> dict[str, Any]:
        """Return what the runner is told: the request, and every barrier compiled from its policy.

        Args:
            request: What is to be run.
            view: Where things are in the sandbox it is run in.
        """
        policy = request.policy
        filters = [*view.filters]
        environment = {**view.environment, **policy.environment}
        if policy.network:
            filters.append(self._connect_only)
            environment |= {**Relay.environment(), "SSL_CERT_FILE": AUTHORITIES}
        if not policy.may_execute and self._tier > IsolationTier.NONE:
            # The last, for it refuses any other.
            filters.append(self._no_execution)
        return {
            "arguments": list(request.arguments),
            "code": request.code,
            "directory": view.workspace,
            "environment": environment,
            "filters": [program.hex() for program in filters],
            "hidden": view.hidden,
            "landlock": self.landlock.compile(policy, view),
            "limits": self._limits(policy),
            "program": request.program,
            "shares_processes": view.shares_processes,
        }

    @staticmethod
    def _limits(policy: SandboxPolicy) -> dict[str, int]:
        limits = policy.limits
        found = {
            # One byte is too little for a file, and unlike none it also holds back a core that would go into a pipe.
            "core_bytes": 1,
            "cpu_seconds": limits.cpu_seconds,
            "data_bytes": limits.memory_bytes,
            "file_bytes": limits.file_bytes,
            "open_files": limits.open_files + _RUNNER_FILES,
            "processes": limits.processes,
        }
        if not policy.may_execute:
            # Programs such as node reserve far more room than they use; the interpreter does not.
            found["address_space_bytes"] = limits.memory_bytes + (64 << 20)
        return found


def _by_option(command: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Return the words of a command, each option with what belongs to it."""
    words: list[str] = []
    for word in command:
        if word.startswith("-") and words:
            yield tuple(words)
            words = []
        words.append(word)
    yield tuple(words)
