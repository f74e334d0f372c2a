"""One line of a policy, compiled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_limits import GrantLimits
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.resource_pattern import ResourcePattern


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """What one rule says of which resources.

    Args:
        id: Where it stands in the policy, such as `claude.allow[0]`.
        effect: Allow, ask or deny.
        types: The kinds of right it speaks of; one, but for the shipped denials, which hold for all that touch files.
        text: The rule as it was written.
        patterns: Its compiled patterns: a relative path has one for each folder of the client.
        line: Its line in the policy file, counted from 1; None when it comes from elsewhere.
        limits: How long and how often it holds, for a grant of its own; None for the rules of lists.

    >>> rule = PolicyRule("claude.allow[0]", Effect.ALLOW, (PermissionType.FILE_READ,), "FILE_READ *.md",
    ...                   (PathPattern.compile("*.md").under("/home/ada/Notes"),))
    >>> rule.matches(PolicySubject.read(PermissionType.FILE_READ, "/home/ada/Notes/a.md"))
    True
    """

    id: str
    effect: Effect
    types: tuple[PermissionType, ...]
    text: str
    patterns: tuple[PathPattern | ResourcePattern, ...]
    line: int | None = field(default=None, compare=False)
    limits: GrantLimits | None = None
    folded: tuple[PathPattern | ResourcePattern, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "folded", tuple(each.folded() for each in self.patterns))

    @property
    def is_denial(self) -> bool:
        """Whether it takes away, and so compares in the widest sense."""
        return self.effect is Effect.DENY

    def limited(self, limits: GrantLimits) -> Self:
        """Return the rule as one that holds within limits."""
        return replace(self, limits=limits)

    def matches(self, subject: PolicySubject) -> bool:
        """Whether the rule speaks of `subject`, as itself or, for a denial, under another spelling."""
        if subject.type not in self.types:
            return False
        denies = self.is_denial
        for pattern, folded in zip(self.patterns, self.folded, strict=True):
            if isinstance(pattern, PathPattern):
                if pattern.matches_parts(subject.parts):
                    return True
                if denies and isinstance(folded, PathPattern) and folded.matches_parts(subject.folded_parts):
                    return True
            elif denies:
                if pattern.covers(subject.text):
                    return True
                if isinstance(folded, ResourcePattern) and folded.covers(subject.folded_text):
                    return True
            elif pattern.matches(subject.text):
                return True
        return False
