"""The rules of one layer of a policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.rule_index import RuleIndex


@dataclass(frozen=True, slots=True)
class PolicyLayer:
    """What the shipped denials, the ceiling or one client's profile allow, ask for and deny.

    Args:
        allow: What it grants.
        ask: What it grants when a human agrees.
        deny: What it refuses, whatever any layer grants.

    >>> PolicyLayer().rule_for(Effect.ALLOW, PolicySubject.read(PermissionType.FILE_READ, "/a")) is None
    True
    """

    allow: tuple[PolicyRule, ...] = ()
    ask: tuple[PolicyRule, ...] = ()
    deny: tuple[PolicyRule, ...] = ()
    # Grown when a kind of right is first asked for: most of the fifteen never are, and the start is quicker without.
    # Two threads may both build one; they build the same.
    _indexes: dict[tuple[Effect, PermissionType], RuleIndex] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def rule_for(self, effect: Effect, subject: PolicySubject) -> PolicyRule | None:
        """Return the first rule of `effect` that speaks of `subject`, None when none does."""
        key = (effect, subject.type)
        index = self._indexes.get(key)
        if index is None:
            index = self._indexes[key] = RuleIndex(self.rules(effect), subject.type)
        return index.first(subject)

    def rules(self, effect: Effect) -> tuple[PolicyRule, ...]:
        """Return the rules of `effect`, in the order in which they were written."""
        if effect is Effect.ALLOW:
            return self.allow
        return self.ask if effect is Effect.ASK else self.deny
