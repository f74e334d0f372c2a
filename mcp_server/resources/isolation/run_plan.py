"""What a run would be, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcp_server.resources.isolation.isolation_tier import IsolationTier


@dataclass(frozen=True, slots=True)
class RunPlan:
    """All that is decided about a run before it begins, made by what makes runs; nothing was started for it.

    Args:
        tier: What would contain it.
        sandbox: The command that makes the sandbox, one option with its words each; descriptors stand there as what
            they are of, in braces.
        arguments: What is executed inside; the first is the program, or `python` for code.
        directory: Where.
        environment: Its whole environment.
        owner: The user that it runs as on the host, None for the server's own.
        landlock: Paths, and what may be done with what lies below each; None where the kernel has no Landlock.
        filters: The system call filters, in the order in which they are put in place.
        limits: Limits of each of its processes, by name.
        bounds: Limits of the run as a whole, by name.

    >>> RunPlan(tier=IsolationTier.NS, arguments=("python",)).to_json()["tier"]
    'ns'
    """

    tier: IsolationTier
    sandbox: tuple[tuple[str, ...], ...] = ()
    arguments: tuple[str, ...] = ()
    directory: str = ""
    environment: Mapping[str, str] | None = None
    owner: int | None = None
    landlock: Mapping[str, tuple[str, ...]] | None = None
    filters: tuple[str, ...] = ()
    limits: Mapping[str, int] | None = None
    bounds: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON members."""
        return {
            "tier": self.tier.label,
            "sandbox": [list(words) for words in self.sandbox],
            "arguments": list(self.arguments),
            "directory": self.directory,
            "environment": dict(self.environment or {}),
            "owner": self.owner,
            "landlock": None if self.landlock is None else {path: list(may) for path, may in self.landlock.items()},
            "filters": list(self.filters),
            "limits": dict(self.limits or {}),
            "bounds": dict(self.bounds or {}),
        }
