"""Finding out which sandbox a machine has, by making it and attacking it."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Callable
from typing import Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.execution_manager import ExecutionManager
from mcp_server.resources.isolation.bubblewrap import Bubblewrap
from mcp_server.resources.isolation.canaries import canaries
from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.execution_request import ExecutionRequest
from mcp_server.resources.isolation.interpreter import Interpreter, is_reachable
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.landlock_factory import LandlockFactory
from mcp_server.resources.isolation.landlock_rules import LandlockRules
from mcp_server.resources.isolation.launcher import Launcher
from mcp_server.resources.isolation.sandbox_config import SandboxConfig
from mcp_server.resources.isolation.sandbox_factory import SandboxFactory
from mcp_server.resources.isolation.sandbox_policy import SandboxPolicy
from mcp_server.resources.isolation.seccomp_filter import NETWORK_FAMILIES, SeccompFilter
from mcp_server.resources.isolation.staging_area import StagingArea
from mcp_server.resources.isolation.worker_factory import WorkerFactory
from mcp_server.resources.kernel.landlock import Landlock

LSM_ABI: Final = 6
"""Landlock of this version keeps what runs from signalling the host's processes; without namespaces, it alone does."""


class SandboxExaminer:
    """Make the strongest sandbox there is, attack it from inside, and say what holds; then the next weaker one.

    Args:
        config: What the operator says.
        scratch: Makes a directory for one run, for an account.
    """

    def __init__(self, *, config: SandboxConfig, scratch: Callable[[tuple[int, int] | None], StagingArea]) -> None:
        self._config = config
        self._scratch = scratch
        self._is_root = os.getuid() == 0
        self._launcher: Launcher | None = None
        self._factory: WorkerFactory | None = None
        self._prober: ExecutionManager | None = None
        self.findings: list[str] = []
        self.groups: ControlGroups | None = None
        self.execution: ExecutionManager | None = None

    @property
    def can_run(self) -> bool:
        """Whether there is a sandbox that could be attacked, whatever it holds."""
        return self._prober is not None

    def examine(self) -> IsolationTier:
        """Return what holds; not to be called from a running event loop."""
        if sys.platform != "linux":
            self.findings.append("there is no sandbox for this operating system yet, so nothing is executed")
            return IsolationTier.NONE
        if self._is_root and self._config.accounts is None:
            self.findings.append(
                "the server runs as root and the policy reserves no accounts for sandboxes; run it as another user, or "
                "reserve some that nobody else uses, such as [sandbox] accounts = [210000, 210063]"
            )
            return IsolationTier.NONE
        self._launcher = Launcher()
        groups = self.groups = ControlGroups.find()
        tier = self._try(IsolationTier.NS if groups is None else IsolationTier.FULL, groups)
        if tier is not IsolationTier.NONE:
            if groups is None:
                self.findings.append(
                    "no control group can be made, so memory is bounded for each process and not for all together; "
                    "with systemd, start the server with `mcp-server serve --scope`"
                )
            return tier
        tier = self._try(IsolationTier.LSM, groups)
        if tier is IsolationTier.LSM and self._config.min_tier > tier:
            self.findings.append(
                "without namespaces there is tier 'lsm': what runs is among the host's processes, and can tell which "
                'files there are; a policy that accepts that says [sandbox] min_tier = "lsm"'
            )
        return self._without_anything(groups) if tier is IsolationTier.NONE else tier

    async def attack(self) -> list[str]:
        """Run the probe in a sandbox like all others, and return the attacks that reached their canary.

        Raises:
            ResourceUnavailableError: There is no sandbox at all.
        """
        if self._prober is None:
            raise ResourceUnavailableError("missing", "there is no sandbox on this machine")
        accounts = self._config.accounts
        owner = (accounts[1], accounts[1]) if self._is_root and accounts is not None else None
        policy = SandboxPolicy(min_tier=IsolationTier.LSM, limits=self._config.limits)
        with canaries() as probe:
            result = await self._prober.run(ExecutionRequest(policy=policy, code=probe.code), owner=owner)
            await self._prober.close()
        return probe.open_barriers(result.stdout.text())

    def close(self) -> None:
        """End whatever runs; harmless when nothing ever did."""
        if self._factory is not None:
            self._factory.close()
            self._factory = None
        if self._launcher is not None:
            self._launcher.close()
            self._launcher = None
        self.execution = self._prober = None

    def _try(self, tier: IsolationTier, groups: ControlGroups | None) -> IsolationTier:
        """Make what a tier is made of, attack it, and return what holds: this tier, or none."""
        landlock = LandlockRules(Landlock().abi)
        try:
            make = self._without_namespaces if tier is IsolationTier.LSM else self._with_namespaces
            factory = make(groups, landlock.abi)
            if factory is None:
                return IsolationTier.NONE
            if self._factory is not None:
                self._factory.close()
            self._factory = factory
            self._prober = ExecutionManager(factory=factory, landlock=landlock, tier=tier)
            still_open = asyncio.run(self.attack())
        except (MCPServerError, OSError, ValueError) as error:
            told = "; ".join([str(error), *getattr(error, "__notes__", ())])
            self.findings.append(f"tier {tier.label!r} cannot be had: {told}")
            self._prober = None
            return IsolationTier.NONE
        if still_open:
            self.findings.append(f"a sandbox of tier {tier.label!r} does not hold against: {', '.join(still_open)}")
            return IsolationTier.NONE
        self.execution = ExecutionManager(
            factory=factory, landlock=landlock, tier=tier, warm_workers=self._config.warm_workers
        )
        return tier

    def _without_anything(self, groups: ControlGroups | None) -> IsolationTier:
        """Let code run that nothing contains, where the operator said so twice; bounds of time and size remain."""
        if not self._config.accepts_none:
            return IsolationTier.NONE
        try:
            factory = self._among_the_hosts(groups, filters=())
        except ValueError as error:
            self.findings.append(str(error))
            return IsolationTier.NONE
        self._factory = factory
        self.execution = ExecutionManager(factory=factory, landlock=LandlockRules(0), tier=IsolationTier.NONE)
        self.findings.append(
            "NOTHING CONTAINS WHAT IS EXECUTED: it can read, write and send whatever its account can, because the "
            'policy says min_tier = "none" and the server was started with --unsafe-allow-unsandboxed'
        )
        return IsolationTier.NONE

    def _with_namespaces(self, groups: ControlGroups | None, abi: int) -> WorkerFactory | None:
        bubblewrap = Bubblewrap()
        problem = bubblewrap.problem()
        if problem is not None:
            self.findings.append(problem)
            return None
        if abi < 1:
            self.findings.append("the kernel has no Landlock; what runs is contained by namespaces and a filter alone")
        assert self._launcher is not None
        return SandboxFactory(
            launcher=self._launcher,
            filter_program=SeccompFilter.base(platform.machine()),
            network_filter=SeccompFilter.base(platform.machine(), families=NETWORK_FAMILIES),
            bubblewrap=bubblewrap,
            interpreter=Interpreter.find(for_others=self._is_root),
            groups=groups,
        )

    def _without_namespaces(self, groups: ControlGroups | None, abi: int) -> WorkerFactory | None:
        if abi < LSM_ABI:
            self.findings.append(f"tier 'lsm' needs Landlock of version {LSM_ABI}, which Linux has since 6.12")
            return None
        if self._is_root and not is_reachable(__file__, executable=False):
            self.findings.append("tier 'lsm' needs this package where the accounts of sandboxes can read it")
            return None
        machine = platform.machine()
        return self._among_the_hosts(groups, filters=(SeccompFilter.base(machine), SeccompFilter.no_metadata(machine)))

    def _among_the_hosts(self, groups: ControlGroups | None, *, filters: tuple[bytes, ...]) -> WorkerFactory:
        interpreter = Interpreter.find(for_others=self._is_root)
        assert self._launcher is not None
        return LandlockFactory(
            launcher=self._launcher,
            filters=filters,
            program=interpreter.host_program,
            prefix=interpreter.prefix or "/usr",
            scratch=self._scratch,
            groups=groups,
        )
