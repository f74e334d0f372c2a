"""What a sandboxed run may do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.resource_limits import ResourceLimits

_NAME_LENGTH: Final = 128
_VALUE_LENGTH: Final = 4096
# The loader, the shell and the interpreters read these before a program has its say.
_NEVER_SET: Final = ("LD_", "GIT_", "PYTHON", "BASH_", "NODE_", "PERL", "RUBY", "DYLD_", "IFS", "ENV", "SHELLOPTS")


@dataclass(frozen=True)
class SandboxPolicy:
    """The upper bound of a run: nothing in a call can widen it, and two of them combine by `narrow` alone.

    Args:
        min_tier: Below it nothing runs.
        may_execute: Whether programs may be started: the interpreter of a snippet needs none.
        may_write: Whether the run may write into its workspace.
        limits: How much it may use.
        environment: Its whole environment, beyond what the sandbox sets itself (`HOME`, `PATH`, `TMPDIR`, `LANG`).

    Raises:
        ValueError: A variable's name or value cannot be one, or is one that changes what is executed.

    >>> wide, narrow = SandboxPolicy(may_execute=True), SandboxPolicy(limits=ResourceLimits(wall_seconds=1))
    >>> both = wide.narrow(narrow)
    >>> both.may_execute, both.limits.wall_seconds
    (False, 1)
    """

    min_tier: IsolationTier = IsolationTier.NS
    may_execute: bool = False
    may_write: bool = False
    limits: ResourceLimits = field(default_factory=ResourceLimits)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.environment.items():
            check_variable(name, value)

    def narrow(self, other: SandboxPolicy) -> SandboxPolicy:
        """Return what both allow."""
        mine, theirs = dict(self.environment), dict(other.environment)
        return SandboxPolicy(
            min_tier=max(self.min_tier, other.min_tier),
            may_execute=self.may_execute and other.may_execute,
            may_write=self.may_write and other.may_write,
            limits=self.limits.narrow(other.limits),
            environment={name: value for name, value in mine.items() if theirs.get(name) == value},
        )

    def to_json(self) -> dict[str, Any]:
        """Return the policy as JSON members, in a fixed order."""
        return {
            "environment": dict(sorted(self.environment.items())),
            "limits": self.limits.to_json(),
            "may_execute": self.may_execute,
            "may_write": self.may_write,
            "min_tier": self.min_tier.label,
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the policy, hexadecimal: what results and records name it by."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()


def check_variable(name: str, value: str) -> None:
    """Refuse a variable that cannot be one, or that would change what is executed.

    Raises:
        ValueError: It must not be set.

    >>> check_variable("LD_PRELOAD", "x.so")
    Traceback (most recent call last):
    ...
    ValueError: the variable 'LD_PRELOAD' may change what is executed; it cannot be set
    """
    if not name.isascii() or not name.isidentifier() or len(name) > _NAME_LENGTH:
        raise ValueError(f"{name[:_NAME_LENGTH]!r} is no name of a variable")
    if name.startswith(_NEVER_SET) or name in ("PATH", "HOME", "TMPDIR", "PAGER", "EDITOR"):
        raise ValueError(f"the variable {name!r} may change what is executed; it cannot be set")
    if "\0" in value or len(value) > _VALUE_LENGTH:
        raise ValueError(f"the value of the variable {name!r} is too long, or holds a NUL")
