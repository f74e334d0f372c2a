"""What one layer of the policy said, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_limits import GrantLimits


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """The answer of one layer; a decision is the strictest answer of all layers.

    Args:
        layer: `default_deny`, `ceiling`, `token` or `client`.
        rule: The id of the rule that spoke, empty when none did.
        effect: What the layer says: a layer that has no objection says allow, the client's silence says deny.
        matched: Whether a rule spoke, and it was not the layer's silence.
        pattern: The rule as the operator wrote it, empty when none spoke.
        reason: Why, in words, where no rule spoke.
        uses: The counted grant on which the answer depends: one that it takes a use of, or one that has none left; None
            where nothing is counted.

    >>> RuleTrace("ceiling", "", Effect.ALLOW, matched=False, reason="there is no ceiling").effect is Effect.ALLOW
    True
    """

    layer: str
    rule: str
    effect: Effect
    matched: bool = False
    pattern: str = ""
    reason: str = ""
    uses: GrantLimits | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what the commands that explain a policy show of it."""
        return {
            "layer": self.layer,
            "rule": self.rule,
            "effect": self.effect,
            "pattern": self.pattern,
            "reason": self.reason,
        }
