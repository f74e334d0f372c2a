"""Finding the few rules that could speak of a resource."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.resource_pattern import ResourcePattern


class RuleIndex:
    """The rules of one effect for one kind of right, found by a name that the resource must contain.

    Most rules hold at least one literal name (`.ssh`, the client's folder), and a path without that name cannot match.
    So a question costs one look-up for each name of the path, and not one comparison for each of the many shipped
    denials. The index only leaves out what cannot match; `PolicyRule.matches` decides.

    Names are kept folded: what is equal is equal when folded, so nothing is lost for either way of comparing.

    Args:
        rules: The rules, the first of several that match being the one that speaks.
        permission_type: The kind of right; rules of others are left out.

    >>> from mcp_server.security.permissions.effect import Effect
    >>> rule = PolicyRule("default_deny[0]", Effect.DENY, (PermissionType.FILE_READ,), "FILE_READ **/.ssh/**",
    ...                   (PathPattern.compile("**/.ssh/**").under("/"),))
    >>> index = RuleIndex([rule], PermissionType.FILE_READ)
    >>> index.first(PolicySubject.read(PermissionType.FILE_READ, "/home/ada/.SSH/id")).id
    'default_deny[0]'
    """

    __slots__ = ("_by_name", "_others")

    def __init__(self, rules: Sequence[PolicyRule], permission_type: PermissionType) -> None:
        self._by_name: dict[str, list[tuple[int, PolicyRule]]] = {}
        self._others: list[tuple[int, PolicyRule]] = []
        for order, rule in enumerate(rules):
            if permission_type in rule.types:
                for name in {_required_name(pattern) for pattern in rule.folded}:
                    place = self._others if name is None else self._by_name.setdefault(name, [])
                    place.append((order, rule))

    def __bool__(self) -> bool:
        return bool(self._by_name or self._others)

    def first(self, subject: PolicySubject) -> PolicyRule | None:
        """Return the first rule that matches `subject`, None when none does."""
        candidates = self._others
        by_name = self._by_name
        if by_name:
            for name in subject.folded_parts if subject.parts else (subject.folded_text,):
                found = by_name.get(name)
                if found is not None:
                    candidates = candidates + found
        if len(candidates) > 1:
            candidates = sorted(candidates, key=_order)
        for _, rule in candidates:
            if rule.matches(subject):
                return rule
        return None


def _order(candidate: tuple[int, PolicyRule]) -> int:
    return candidate[0]


def _required_name(pattern: PathPattern | ResourcePattern) -> str | None:
    if isinstance(pattern, ResourcePattern):
        return pattern.pieces[0] if len(pattern.pieces) == 1 else None
    for segment in reversed(pattern.segments):
        if "*" not in segment and "?" not in segment:
            return segment
    return pattern.anchor[-1] if pattern.anchor else None
