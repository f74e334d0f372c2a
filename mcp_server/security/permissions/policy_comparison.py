"""What changes when one policy takes the place of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.grant_limits import GrantLimits
from mcp_server.security.permissions.pattern_inclusion import denials_include, grants_include, surely_apart
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_change import PolicyChange
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.resource_patterns import TEXT
from mcp_server.security.permissions.resource_text import path_parts

_READ, _WRITE, _GLOBAL = PermissionType.FILE_READ, PermissionType.FILE_WRITE, PermissionType.FILE_WRITE_GLOBAL


class PolicyComparison:
    """Find what a new policy grants beyond an old one, and what it takes away.

    A decision is the strictest answer of all layers. So where no layer answers more generously, nothing is granted that
    was not; and a layer answers more generously only where it lost a denial or an `ask`, or gained a grant or a folder.
    Each of these is looked for by comparing patterns. Where patterns cannot be compared the answer is that it widens:
    "nothing widens" is certain, "widens" is worth a look.

    What narrows is what would widen on the way back.

    Args:
        old: The policy in force.
        new: The one that is to take its place.

    >>> comparison = PolicyComparison(Policy.for_folders(["/"]), Policy.for_folders([]))
    >>> [change.widens for change in comparison.changes()]
    [False, False, False, False]
    """

    def __init__(self, old: Policy, new: Policy) -> None:
        self._old = old
        self._new = new

    def changes(self) -> list[PolicyChange]:
        """Return all changes, those that widen first."""
        widening = [PolicyChange(True, *each) for each in _widenings(self._old, self._new)]
        back = [each for each in _widenings(self._new, self._old) if not each[2].startswith(_UNCOMPARED)]
        return widening + [
            PolicyChange(False, where, text, _REASONS.get(reason, _LESS), line) for where, text, reason, line in back
        ]


_UNCOMPARED: Final = "it is another, and the two cannot be compared"
_LOST_DENIAL: Final = "it denies this no more"
_LOST_ASK: Final = "it asks nobody about this any more"
_GAINED_GRANT: Final = "no rule granted all of it"
_NEW_CLIENT: Final = "the policy did not name this client"
# What is the same change, seen from the other side.
_LESS: Final = "there is less of it now"
_REASONS: Final = {
    _LOST_DENIAL: "it is denied now",
    _LOST_ASK: "a human is asked about it now",
    _GAINED_GRANT: "no rule grants all of it any more",
    _NEW_CLIENT: "the policy names this client no more",
}
_Found = tuple[str, str, str, int | None]


def _widenings(old: Policy, new: Policy) -> Iterator[_Found]:
    common = (*new.default_deny.deny, *(() if new.ceiling is None else new.ceiling.deny))
    yield from _lost_denials(old.default_deny.deny, common, None)
    yield from _ceiling(old.ceiling, new.ceiling, common)
    for name, profile in new.clients.items():
        before = old.clients.get(name)
        if before is None:
            yield f"client.{name}", "", _NEW_CLIENT, None
            before = ClientProfile(name, tools=())
        yield from _client(before, profile, common)
    yield from _named("scope", old.scopes, new.scopes, lambda one, other: set(other) <= set(one))
    for kind in {**old.matchers, **new.matchers}:
        if old.matchers.get(kind, TEXT) != new.matchers.get(kind, TEXT):
            yield f"custom.{kind}.matcher", new.matchers.get(kind, TEXT), _UNCOMPARED, None
    yield from _modules(old, new)
    yield from _values("sandbox", old.sandbox.to_json(), new.sandbox.to_json())


def _ceiling(old: PolicyLayer | None, new: PolicyLayer | None, common: Sequence[PolicyRule]) -> Iterator[_Found]:
    if old is None:
        return
    if new is None:
        yield "ceiling", "", "there is no ceiling any more", None
        yield from _lost_denials(old.deny, common, None)
        return
    yield from _lost_denials(old.deny, common, new.allow)
    yield from _gained_grants(old.allow, new.allow, ())


def _client(old: ClientProfile, new: ClientProfile, common: Sequence[PolicyRule]) -> Iterator[_Found]:
    denials = (*common, *new.rules.deny)
    yield from _lost_denials(old.rules.deny, denials, new.granting)
    yield from _folders(old, new)
    yield from _gained_grants(old.granting, new.granting, denials)
    asking = [rule for rule in new.granting if rule.effect == "ask"]
    allowing = [rule for rule in new.granting if rule.effect == "allow"]
    for rule in old.granting:
        if rule.effect == "ask" and not _is_still_asked(rule, asking, denials, allowing):
            yield rule.id, rule.text, _LOST_ASK, rule.line
    for pattern in new.tools:
        if not any(pattern.canonical == each.canonical or denials_include(each, pattern) for each in old.tools):
            yield f"client.{new.name}.tools", pattern.text, "it showed no tools of these names", None
    if old.isolation == "process" and new.isolation != "process":
        yield f"client.{new.name}.isolation", new.isolation, "handlers ran in processes of their own", None
    for name in type(new.limits).__dataclass_fields__:
        before, after = getattr(old.limits, name), getattr(new.limits, name)
        if before is not None and (after is None or after > before):
            shown = "no limit" if after is None else str(after)
            yield f"client.{new.name}.limits.{name}", shown, f"the limit was {before}", None


def _lost_denials(
    old: Iterable[PolicyRule], new: Sequence[PolicyRule], granting: Sequence[PolicyRule] | None
) -> Iterator[_Found]:
    """Yield the old denials that are left out, but for those that no grant could meet; None: any grant might be."""
    for rule in old:
        for kind in rule.types:
            same = [pattern for each in new if kind in each.types for pattern in each.patterns]
            # Most are there as they were.
            known = {(type(each), each.canonical) for each in same}
            met = None
            if granting is not None:
                met = [pattern for each in granting if kind in each.types for pattern in each.patterns]
            if not all(
                (type(pattern), pattern.canonical) in known
                or any(denials_include(each, pattern) for each in same)
                or (met is not None and all(surely_apart(pattern, each) for each in met))
                for pattern in rule.patterns
            ):
                yield rule.id, rule.text, _LOST_DENIAL, rule.line
                break


def _gained_grants(
    old: Sequence[PolicyRule], new: Iterable[PolicyRule], denials: Sequence[PolicyRule]
) -> Iterator[_Found]:
    for rule in new:
        for kind in rule.types:
            known = [
                pattern
                for each in old
                if kind in each.types and _limits_include(each.limits, rule.limits)
                for pattern in each.patterns
            ]
            denied = [pattern for each in denials if kind in each.types for pattern in each.patterns]
            if not all(
                any(grants_include(each, pattern) for each in known)
                or any(denials_include(each, pattern) for each in denied)
                for pattern in rule.patterns
            ):
                yield rule.id, rule.text, _GAINED_GRANT, rule.line
                break


def _is_still_asked(
    rule: PolicyRule, asking: Sequence[PolicyRule], denials: Sequence[PolicyRule], allowing: Sequence[PolicyRule]
) -> bool:
    for kind in rule.types:
        asked = [
            pattern
            for each in asking
            if kind in each.types and each.limits in (None, rule.limits)
            for pattern in each.patterns
        ]
        denied = [pattern for each in denials if kind in each.types for pattern in each.patterns]
        allowed = [pattern for each in allowing if kind in each.types for pattern in each.patterns]
        for pattern in rule.patterns:
            if any(grants_include(each, pattern) for each in asked):
                continue
            if any(denials_include(each, pattern) for each in denied):
                continue
            if not all(surely_apart(pattern, each) for each in allowed):
                return False
    return True


def _limits_include(old: GrantLimits | None, new: GrantLimits | None) -> bool:
    """Whether a grant within the old limits held whenever, and as often as, one within the new ones does."""
    if old is None:
        return True
    if new is None:
        return False
    begins = old.not_before is None or (new.not_before is not None and new.not_before >= old.not_before)
    ends = old.expires is None or (new.expires is not None and new.expires <= old.expires)
    # Another key is another count, which begins anew.
    counts = old.max_uses is None or (new.max_uses is not None and new.key == old.key and new.max_uses <= old.max_uses)
    return begins and ends and counts


def _folders(old: ClientProfile, new: ClientProfile) -> Iterator[_Found]:
    for key, folders, kind in (("folders", new.folders, _WRITE), ("global_folders", new.global_folders, _GLOBAL)):
        for folder in folders:
            parts = path_parts(folder)[1]
            if not (old.holds(_READ, parts) and old.holds(kind, parts)):
                yield f"client.{new.name}.{key}", folder, "it lay in no such folder of the client's", None
    # What was of the other kind within a folder, and is so no more, is now of the folder's kind.
    for key, inner, left, outer in (
        ("global_folders", old.global_folders, new.global_folders, new.folders),
        ("folders", old.folders, new.folders, new.global_folders),
    ):
        for folder in inner:
            is_within = any(f"{folder}/".startswith(f"{each.rstrip('/')}/") for each in outer)
            if folder not in left and is_within:
                yield f"client.{new.name}.{key}", folder, "what is in it is of the other kind of folder now", None


def _modules(old: Policy, new: Policy) -> Iterator[_Found]:
    for name in {**old.modules, **new.modules}:
        before, after = old.modules.get(name), new.modules.get(name)
        if before == after or (
            before is None and after is not None and after.isolation == "process" and not after.code
        ):
            continue
        isolation = None if after is None else after.isolation
        if before is not None and before.isolation == "process" and isolation != "process":
            yield f"module.{name}.isolation", str(isolation), "its handlers ran in processes of their own", None
        elif isolation != "process" and (before is None or isolation != before.isolation):
            yield f"module.{name}", str(isolation), _UNCOMPARED, None
        gained = set(() if after is None else after.code) - set(() if before is None else before.code)
        for path in sorted(gained):
            yield f"module.{name}.code", path, "its handlers did not find this", None


def _named(
    table: str, old: Any, new: Any, includes: Callable[[Sequence[str], Sequence[str]], bool]
) -> Iterator[_Found]:
    for name, value in new.items():
        if name not in old:
            yield f"{table}.{name}", ", ".join(value), "there was none of this name", None
        elif not includes(old[name], value):
            yield f"{table}.{name}", ", ".join(value), "it covered less", None


def _values(where: str, old: Any, new: Any) -> Iterator[_Found]:
    """Yield how two values of settings differ: larger numbers and further members widen, all else is not compared."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            if key not in new:
                continue
            if key not in old:
                yield f"{where}.{key}", str(new[key]), "there was none of this name", None
            elif where.endswith((".programs", ".actions")):
                if old[key] != new[key]:
                    yield f"{where}.{key}", str(new[key]), _UNCOMPARED, None
            else:
                yield from _values(f"{where}.{key}", old[key], new[key])
    elif where.endswith(".min_tier") and isinstance(old, str) and isinstance(new, str):
        if IsolationTier.of(new) < IsolationTier.of(old):
            yield where, new, f"the least tier was {old}", None
    elif type(old) is bool and type(new) is bool:
        if new:
            yield where, "true", "it was switched off", None
    elif isinstance(old, int | float) and isinstance(new, int | float):
        if new > old:
            yield where, str(new), f"it was {old}", None
    else:
        yield where, str(new), _UNCOMPARED, None
