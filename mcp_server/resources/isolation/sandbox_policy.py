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
from mcp_server.resources.network.endpoint import Endpoint

MAX_ENDPOINTS: Final = 16
"""Hosts and ports of one run: what needs more is not looked at by whoever grants it."""

_NAME_LENGTH: Final = 128
_VALUE_LENGTH: Final = 4096
# The loader, the shell and the interpreters read these before a program has its say.
_NEVER_SET: Final = ("LD_", "GIT_", "PYTHON", "BASH_", "NODE_", "PERL", "RUBY", "DYLD_", "IFS", "ENV", "SHELLOPTS")
# Who commits; a name and nothing else.
_MAY_BE_SET: Final = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
_DECIDED: Final = ("PATH", "HOME", "TMPDIR", "PAGER", "EDITOR")


@dataclass(frozen=True)
class SandboxPolicy:
    """The upper bound of a run: nothing in a call can widen it, and two of them combine by `narrow` alone.

    Args:
        min_tier: Below it nothing runs.
        may_execute: Whether programs may be started: the interpreter of a snippet needs none.
        may_write: Whether the run may write into its workspace.
        limits: How much it may use.
        environment: Its whole environment, beyond what the sandbox sets itself (`HOME`, `PATH`, `TMPDIR`, `LANG`).
        network: Hosts and ports that it may reach, each in its canonical form; none, and it has no network at all.

    Raises:
        ValueError: A variable's name or value cannot be one, or is one that changes what is executed; or what it may
            reach is no host and port, is written in another form, or is too much.

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
    network: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in self.environment.items():
            check_variable(name, value)
        if len(self.network) > MAX_ENDPOINTS:
            raise ValueError(f"a run may reach {MAX_ENDPOINTS} hosts and ports at most")
        for text in self.network:
            if str(Endpoint.parse(text)) != text:
                raise ValueError(f"{text!r} must be written {str(Endpoint.parse(text))!r}")

    def narrow(self, other: SandboxPolicy) -> SandboxPolicy:
        """Return what both allow."""
        mine, theirs = dict(self.environment), dict(other.environment)
        return SandboxPolicy(
            min_tier=max(self.min_tier, other.min_tier),
            may_execute=self.may_execute and other.may_execute,
            may_write=self.may_write and other.may_write,
            limits=self.limits.narrow(other.limits),
            environment={name: value for name, value in mine.items() if theirs.get(name) == value},
            network=tuple(each for each in self.network if each in other.network),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the policy as JSON members, in a fixed order."""
        return {
            "environment": dict(sorted(self.environment.items())),
            "limits": self.limits.to_json(),
            "may_execute": self.may_execute,
            "may_write": self.may_write,
            "min_tier": self.min_tier.label,
            "network": sorted(set(self.network)),
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
    if (name.startswith(_NEVER_SET) and name not in _MAY_BE_SET) or name in _DECIDED:
        raise ValueError(f"the variable {name!r} may change what is executed; it cannot be set")
    if "\0" in value or len(value) > _VALUE_LENGTH:
        raise ValueError(f"the value of the variable {name!r} is too long, or holds a NUL")
