"""The policy's answer to one need, with the rule that gave it."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_limits import GrantLimits


@dataclass(frozen=True, slots=True)
class Decision:
    """An effect, and which rule of which layer decided.

    Args:
        effect: Allow, ask or deny.
        rule: The deciding rule's id, such as `claude.allow[0]`; empty when no rule covered the resource.
        layer: `default_deny`, `ceiling`, `token`, `client` or `none`.
        uses: The counted grant on which the answer depends: one that it takes a use of, or one that has none left; None
            where nothing is counted.

    >>> Decision(Effect.DENY).is_allowed
    False
    """

    effect: Effect
    rule: str = ""
    layer: str = "none"
    uses: GrantLimits | None = None

    @property
    def is_allowed(self) -> bool:
        """Whether the resource may be used without asking."""
        return self.effect is Effect.ALLOW
