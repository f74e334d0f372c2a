"""What the operator says about sandboxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.program import Program
from mcp_server.resources.isolation.resource_limits import ResourceLimits
from mcp_server.resources.isolation.staging_limits import StagingLimits
from mcp_server.resources.isolation.sudo_config import SudoConfig

APART_VARIABLE: Final = "MCP_SERVER_APART"
"""An environment variable that is set where one handler runs in a process of its own, and nowhere else."""

MAX_WAITING: Final = 8
"""Sandboxes that stand ready, for all clients together."""

MAX_COPIED_FILES: Final = 50_000
MAX_COPIED_BYTES: Final = 4 << 30
"""The most that a policy lets be copied for each run; no walk through a folder is longer, see `FileLimits`."""

MAX_SESSION_SECONDS: Final = 86_400
"""The longest that a policy lets a process run on between calls, in seconds: what runs longer is no session's."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """The upper bounds of everything that is executed, whoever asks for it.

    Args:
        min_tier: Below it nothing is executed, and what would be is not offered.
        limits: How much one run may use.
        accounts: The first and the last user id that sandboxes run as where the server runs as root; one a client,
            reserved for this alone. None where there are none: a server that runs as root then executes nothing.
        concurrent_runs: How many runs one client may have at once; each may take all that `limits` say.
        warm_workers: How many sandboxes stand ready for each client once it has run code; some megabytes each.
        programs: The programs that may be run, by name.
        staging: The directory in which copies of the clients' files are made for a run; None for one in the server's
            state, or in `/var/lib/mcp-server` where the server runs as root.
        copies: How much of a client's files is copied there for one run; of a larger folder nothing is, and nothing is
            run.
        session_seconds: How long a process may run on between calls; what is run within one call has its own limit.
        sudo: What may be done as root, outside of any sandbox.
        allows_unsandboxed: Whether whoever started the server said that he knows what tier `none` is. No policy says it
            for him: it takes both.

    Raises:
        ValueError: The accounts are no range, or hold the system's own.

    >>> SandboxConfig(accounts=(210_000, 210_063)).min_tier.label
    'ns'
    """

    min_tier: IsolationTier = IsolationTier.NS
    limits: ResourceLimits = field(default_factory=ResourceLimits)
    accounts: tuple[int, int] | None = None
    warm_workers: int = 2
    concurrent_runs: int = 4
    programs: Mapping[str, Program] = field(default_factory=dict)
    staging: str | None = None
    copies: StagingLimits = field(default_factory=StagingLimits)
    session_seconds: float = 3600.0
    sudo: SudoConfig = field(default_factory=SudoConfig)
    allows_unsandboxed: bool = False

    def __post_init__(self) -> None:
        if self.accounts is not None:
            first, last = self.accounts
            if not 1000 <= first <= last < 2**32 - 2:
                raise ValueError("accounts must be a range of user ids of 1000 and above, the smaller first")

    @property
    def accepts_none(self) -> bool:
        """Whether code may run that nothing contains, where nothing better is to be had."""
        return self.min_tier is IsolationTier.NONE and self.allows_unsandboxed

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON members."""
        return {
            "accounts": self.accounts,
            "copies": asdict(self.copies),
            "limits": asdict(self.limits),
            "min_tier": self.min_tier.label,
            "programs": {name: program.to_json() for name, program in sorted(self.programs.items())},
            "session_seconds": self.session_seconds,
            "staging": self.staging,
            "sudo": self.sudo.to_json(),
            "concurrent_runs": self.concurrent_runs,
            "warm_workers": self.warm_workers,
        }
