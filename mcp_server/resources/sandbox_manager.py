"""Which sandboxes this machine has, and who gets which."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.sandbox_config import SandboxConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mcp_server.resources.execution_manager import ExecutionManager
    from mcp_server.resources.isolation.execution_request import ExecutionRequest
    from mcp_server.resources.isolation.process_sessions import ProcessSessions
    from mcp_server.resources.isolation.process_state import ProcessState
    from mcp_server.resources.isolation.program import Program
    from mcp_server.resources.isolation.root_actions import RootActions
    from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
    from mcp_server.resources.isolation.staging_area import StagingArea
    from mcp_server.resources.isolation.staging_limits import StagingLimits
    from mcp_server.resources.network.address_judge import AddressJudge
    from mcp_server.resources.network.egress_proxy import EgressProxy
    from mcp_server.resources.sandbox_examiner import SandboxExaminer

    OpenProxy = Callable[[str, tuple[str, ...], AddressJudge, Callable[[str, int], None]], EgressProxy]

logger = logging.getLogger(__name__)


class SandboxManager:
    """Find out, once, what contains code on this machine, by attacking it; hand out what runs in it.

    Nothing is made before somebody asks: a server without tools that execute anything never starts a process.

    Args:
        config: What the operator says.
        state_directory: The server's own state; None where nothing is kept.
        open_proxy: Makes what carries the connections of one run; see `ResourceTier.open_proxy`. None where this
            connects to nothing.
    """

    def __init__(
        self, *, config: SandboxConfig, state_directory: Path | None = None, open_proxy: OpenProxy | None = None
    ) -> None:
        self._config = config
        self._open_proxy = open_proxy
        self._state_directory = state_directory
        self._lock = threading.Lock()
        self._examining = threading.Lock()
        self._examiner: SandboxExaminer | None = None
        self._tier: IsolationTier | None = None
        self._processes: ProcessSessions | None = None
        self._on_process_end: Callable[[ProcessState], None] = lambda state: None
        self._root_actions: RootActions | None = None
        self._has_staged = False
        self._runs: Counter[str] = Counter()
        self._accounts: dict[str, int] = {}

    @property
    def tier(self) -> IsolationTier:
        """What holds here; found out when first asked, which takes a fraction of a second."""
        if self._tier is None:
            # In a thread of its own, for it needs an event loop, and whoever asks may be in one.
            thread = threading.Thread(target=self.examine, name="mcp-server-examination")
            thread.start()
            thread.join()
        assert self._tier is not None
        return self._tier

    @property
    def findings(self) -> tuple[str, ...]:
        """What was found: why the tier is not a higher one, and what to do about it; for the operator."""
        return () if self._examiner is None else tuple(self._examiner.findings)

    @property
    def is_sufficient(self) -> bool:
        """Whether what holds is as much as the operator demands; else nothing is executed, and nothing offered."""
        return self.tier >= self._config.min_tier and (self.tier > IsolationTier.NONE or self._config.accepts_none)

    @property
    def config(self) -> SandboxConfig:
        """What the operator says."""
        return self._config

    @property
    def execution(self) -> ExecutionManager:
        """What runs requests.

        Raises:
            ResourceUnavailableError: The machine gives less than the operator demands.
        """
        self.require_sufficient()
        # Not even that can be had here; or the server is stopping.
        if self._examiner is None or self._examiner.execution is None:
            raise ResourceUnavailableError("missing", "this server executes nothing; ask the operator")
        return self._examiner.execution

    @property
    def processes(self) -> ProcessSessions:
        """What keeps the processes that outlive their calls.

        Raises:
            ResourceUnavailableError: The machine gives less than the operator demands.
        """
        if self._processes is None:
            from mcp_server.resources.isolation.process_sessions import ProcessSessions

            self._processes = ProcessSessions(
                execution=self.execution,
                tier=self.tier,
                session_seconds=self._config.session_seconds,
                on_end=self._process_ended,
            )
        return self._processes

    @property
    def can_act_as_root(self) -> bool:
        """Whether the operator lets actions be done as root, and what runs in a sandbox here cannot do them itself."""
        return self._config.sudo.is_enabled and self.is_sufficient and self.tier >= IsolationTier.NS

    @property
    def root_actions(self) -> RootActions:
        """What does the operator's actions as root; it says itself why it does none."""
        if self._root_actions is None:
            from mcp_server.resources.isolation.launcher import Launcher
            from mcp_server.resources.isolation.root_actions import SUDO, RootActions

            tier = self.tier if self.is_sufficient else IsolationTier.NONE
            groups = None if self._examiner is None else self._examiner.groups
            self._root_actions = RootActions(
                config=self._config.sudo, launcher=Launcher(), tier=tier, groups=groups, sudo=SUDO
            )
        return self._root_actions

    def tell_process_ends(self, listener: Callable[[ProcessState], None]) -> None:
        """Tell of the end of every process that outlives its call, whatever its cause; nobody waits for such an end."""
        self._on_process_end = listener

    def _process_ended(self, state: ProcessState) -> None:
        # Whoever listens may come later than the first process.
        self._on_process_end(state)

    def require_sufficient(self) -> None:
        """Return when something may be executed here.

        Raises:
            ResourceUnavailableError: The machine gives less than the operator demands.
        """
        if not self.is_sufficient:
            raise ResourceUnavailableError(
                "missing", "this server has no sandbox that is good enough to execute anything; ask the operator"
            )

    def policy(
        self,
        *,
        timeout_seconds: float | None = None,
        may_execute: bool = False,
        may_write: bool = False,
        environment: Mapping[str, str] | None = None,
        network: tuple[str, ...] = (),
    ) -> SandboxPolicy:
        """Return the policy of one run: never wider than what the operator says.

        Args:
            timeout_seconds: How long whoever asks wants to wait.
            may_execute: Whether programs may be started.
            may_write: Whether the workspace is writable.
            environment: Variables beyond those of every sandbox.
            network: Hosts and ports that it may reach, each of them permitted.
        """
        from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy

        limits = self._config.limits
        if timeout_seconds is not None and 0 < timeout_seconds < limits.wall_seconds:
            limits = replace(limits, wall_seconds=timeout_seconds)
        return SandboxPolicy(
            min_tier=self._config.min_tier,
            may_execute=may_execute,
            may_write=may_write,
            limits=limits,
            environment=environment or {},
            network=network,
        )

    def program_request(
        self,
        program: Program,
        arguments: Sequence[str],
        *,
        stdin: str | bytes = b"",
        timeout_seconds: float | None = None,
        workspace: int | None = None,
        on_output: Callable[[str, bytes], None] | None = None,
        network: tuple[str, ...] = (),
        open_proxy: Callable[[tuple[str, ...]], EgressProxy] | None = None,
    ) -> ExecutionRequest:
        """Return the run of a program of the operator's list; the arguments are those of `ExecutionRequest`.

        Raises:
            ValueError: What is given cannot be run.
        """
        from mcp_server.resources.isolation.execution_request import ExecutionRequest

        policy = self.policy(
            timeout_seconds=timeout_seconds,
            may_execute=True,
            may_write=program.workspace == "write",
            environment=program.environment,
            network=network,
        )
        return ExecutionRequest(
            policy=policy,
            program=program.path,
            arguments=program.command(arguments),
            stdin=stdin.encode() if isinstance(stdin, str) else stdin,
            workspace=workspace,
            on_output=on_output,
            open_proxy=open_proxy,
        )

    def open_proxy(
        self, client: str, allowed: tuple[str, ...], judge: AddressJudge, report: Callable[[str, int], None]
    ) -> EgressProxy:
        """Return what carries the connections of one run of a client.

        Args:
            client: Whose threads wait for names.
            allowed: The hosts and ports of its policy.
            judge: Decides on their addresses.
            report: Told of each decision.

        Raises:
            ResourceUnavailableError: This server connects to nothing.
            ConfigurationError: The extra `http-client` is not installed.
        """
        if self._open_proxy is None:
            raise ResourceUnavailableError("missing", "this server connects to nothing")
        return self._open_proxy(client, allowed, judge, report)

    def stage(self, client: str) -> StagingArea:
        """Return a new directory for copies of a client's files; blocking.

        Raises:
            ConfigurationError: The place for them is not to be trusted.
            ResourceUnavailableError: There is no room.
        """
        return self._area(self.owner(client), self._config.copies)

    @contextmanager
    def admitted(self, client: str) -> Iterator[None]:
        """Count a run of a client, from its beginning to its end.

        Raises:
            LimitExceededError: It has too many already.
        """
        most = self._config.concurrent_runs
        with self._lock:
            if self._runs[client] >= most:
                raise LimitExceededError(
                    "concurrent_runs", f"{most} runs of this client are under way already; wait for one to end"
                )
            self._runs[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._runs[client] -= 1

    def owner(self, client: str) -> tuple[int, int] | None:
        """Return the user and group that a client's sandboxes run as; None where that is the server's own.

        Raises:
            LimitExceededError: There are more clients than accounts.
        """
        if os.getuid() != 0:
            return None
        assert self._config.accounts is not None
        first, last = self._config.accounts
        with self._lock:
            account = self._accounts.setdefault(client, first + len(self._accounts))
            if account > last:
                del self._accounts[client]
                raise LimitExceededError(
                    "sandbox_accounts", "every account for sandboxes is taken by another client; ask the operator"
                )
        return account, account

    def examine(self) -> IsolationTier:
        """Find out what holds here, unless that is known; not to be called from a running event loop."""
        # On first use: a server that executes nothing starts without all of this.
        from mcp_server.resources.sandbox_examiner import SandboxExaminer

        with self._examining:
            if self._tier is None:
                self._examiner = SandboxExaminer(config=self._config, scratch=self._area)
                tier = self._examiner.examine()
                for finding in self._examiner.findings:
                    logger.warning("sandbox: %s", finding)
                self._tier = tier
            return self._tier

    @property
    def can_run(self) -> bool:
        """Whether there is a sandbox that could be attacked, whatever it holds."""
        return self._examiner is not None and self._examiner.can_run

    async def attack(self) -> list[str]:
        """Attack the sandbox from inside, and return the attacks that reached their canary.

        Raises:
            ResourceUnavailableError: There is no sandbox at all.
        """
        if self._examiner is None:
            raise ResourceUnavailableError("missing", "there is no sandbox on this machine")
        return await self._examiner.attack()

    async def rest(self) -> None:
        """End the processes that outlive their calls, and the sandboxes that wait for work."""
        if self._processes is not None:
            await self._processes.close()
        if self._examiner is not None and self._examiner.execution is not None:
            await self._examiner.execution.close()

    def close(self) -> None:
        """End whatever runs; harmless when nothing ever did."""
        if self._root_actions is not None:
            self._root_actions.close()
        if self._examiner is not None:
            self._examiner.close()
            self._examiner = None

    def _area(self, owner: tuple[int, int] | None, limits: StagingLimits | None = None) -> StagingArea:
        from mcp_server.resources.isolation.staging_area import StagingArea

        if self._config.staging is not None:
            base = Path(self._config.staging)
        elif os.getuid() == 0:
            # The accounts of the sandboxes must be able to walk there.
            base = Path("/var/lib/mcp-server/staging")
        elif self._state_directory is not None:
            base = self._state_directory / "staging"
        else:
            raise ConfigurationError("a server without a state directory has no place for copies of files")
        mode = 0o711 if os.getuid() == 0 else 0o700
        base.mkdir(mode=mode, parents=True, exist_ok=True)
        with self._lock:
            is_first, self._has_staged = not self._has_staged, True
        if is_first:
            base.chmod(mode)
            count = StagingArea.sweep(base)
            logger.debug("%d directories of runs that a crash left behind were removed", count)
        return StagingArea(base, owner=owner, limits=limits)
