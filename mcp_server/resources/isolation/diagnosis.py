"""What a machine's sandbox was found to hold against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_server.resources.isolation.barrier_probe import FORBIDDEN_TO_ALL
from mcp_server.resources.isolation.isolation_tier import IsolationTier


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The tier, every attack with what it reached outside and inside, and what the machine has.

    Args:
        tier: What holds.
        demanded: The least the operator demands.
        findings: Why it is not more, and what to do.
        attacks: For each attack whether it reached its canary outside the sandbox, where it must, and inside, where it
            must not; empty where there is no sandbox to attack.
        features: What the machine has, by name.

    >>> Diagnosis(IsolationTier.NS, IsolationTier.NS, attacks={"file": (True, False)}).holds
    True
    >>> Diagnosis(IsolationTier.NS, IsolationTier.NS, attacks={"file": (False, False)}).holds
    False
    """

    tier: IsolationTier
    demanded: IsolationTier
    findings: tuple[str, ...] = ()
    attacks: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    features: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether what is demanded holds, and the attacks prove it: one that reaches nothing outside proves nothing.

        Excepted are those that a system may forbid to everybody, as containers do.
        """
        proofs = [
            not inside and (outside or name in FORBIDDEN_TO_ALL) for name, (outside, inside) in self.attacks.items()
        ]
        return self.tier >= self.demanded and bool(proofs) and all(proofs)
