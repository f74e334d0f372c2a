"""The one place where a policy is applied."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.decision import Decision
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_limits import GrantLimits
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_subject import PolicySubject
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern
from mcp_server.security.permissions.resource_patterns import compile_pattern, literal_pattern
from mcp_server.security.permissions.rule_trace import RuleTrace

logger: Final = logging.getLogger(__name__)

# What stands in a decision's `rule` when no rule could be asked.
MALFORMED: Final = "malformed-resource"
FAILED: Final = "evaluation-failed"

# Tokens whose rules are kept compiled: one for each client that is there at once, and some that are renewed.
MAX_NARROWINGS: Final = 256

# The answers that are always the same.
_NO_DENIAL: Final = RuleTrace("default_deny", "", Effect.ALLOW, reason="no default denial speaks of it")
_NO_CEILING: Final = RuleTrace("ceiling", "", Effect.ALLOW, reason="there is no ceiling")
_BEYOND_TOKEN: Final = RuleTrace("token", "", Effect.DENY, reason="the token does not cover it")
_ABOVE_CEILING: Final = RuleTrace("ceiling", "", Effect.DENY, reason="the ceiling does not allow it")


class PolicyEvaluator:
    """Decide, explain and foresee, all by the same layers.

    1. *Default denials* (shipped and added): may refuse.
    2. *Ceiling*, where there is one: may refuse, and refuses what it does not allow.
    3. *Token*, where the client calls with one that narrows: refuses what it does not cover.
    4. *Client*: refuses what lies outside the client's folders; then deny beats ask beats allow, silence refuses.

    A decision is the strictest of the answers, so a denial of any layer wins and a layer can only narrow. A
    resource that could be read in two ways is refused, and so is everything when the evaluation itself fails.

    Keeps no answer between two questions and has no clock; `PermissionManager` has both. So an evaluator is about one
    time: of the grants that are limited, those hold that hold then.

    Args:
        policy: The policy to apply.
        now: The time, in seconds since the epoch; None, and no grant holds that is limited in time.
        uses_left: How often a counted grant may still be used; None, and none of them may.

    >>> evaluator = PolicyEvaluator(Policy.for_folders(["/"]))
    >>> evaluator.decide("local", PermissionType.FILE_READ, "/a.txt").rule
    'local.allow[0]'
    >>> evaluator.decide("local", PermissionType.FILE_READ, "/home/ada/.ssh/id_ed25519").layer
    'default_deny'
    """

    __slots__ = ("_grants", "_narrowings", "_now", "_policy", "_uses_left", "_wide_denials")

    def __init__(
        self,
        policy: Policy,
        *,
        now: float | None = None,
        uses_left: Callable[[GrantLimits], int] | None = None,
    ) -> None:
        self._policy = policy
        self._now = now
        self._uses_left = uses_left
        # Compiled when first met; the same for the same token, so that two threads may both do it.
        self._narrowings: dict[tuple[str, str], PolicyLayer] = {}
        # What is counted is asked last, so that no use is spent on what another rule grants as well.
        self._grants = {
            name: tuple(
                sorted(
                    (rule for rule in profile.grants if rule.limits is not None and rule.limits.holds_at(now)),
                    key=_is_counted,
                )
            )
            for name, profile in policy.clients.items()
            if profile.grants
        }
        common = (
            policy.default_deny.deny if policy.ceiling is None else (*policy.default_deny.deny, *policy.ceiling.deny)
        )
        # Those that leave nothing of a kind of right; none of the shipped ones does.
        self._wide_denials = tuple(rule for rule in common if any(each.is_everything for each in rule.patterns))

    def decide(
        self, client: str, permission_type: PermissionType, resource: str, narrowing: Narrowing | None = None
    ) -> Decision:
        """Return what the policy says of one resource.

        Args:
            client: The client's name.
            permission_type: The kind of right.
            resource: A canonical absolute path for rights on paths, `unrestricted` for leaving the sandbox, any text
                for the rest.
            narrowing: What a token leaves of the client's rights; None where it leaves all.
        """
        # The boundary where a bug must become a refusal, and must be seen.
        try:
            traces = self.explain(client, permission_type, resource, narrowing)
        except Exception:
            logger.exception("evaluating %s failed; it is refused", permission_type)
            return Decision(Effect.DENY, FAILED, "none")
        return self.judge(traces)

    @staticmethod
    def judge(traces: Sequence[RuleTrace]) -> Decision:
        """Return the decision that the answers of all layers, the client's the last one, come to."""
        # Spent whoever else wants to be asked, for the grant is what the human's word completes.
        uses = traces[-1].uses
        for effect in (Effect.DENY, Effect.ASK):
            for trace in traces:
                if trace.effect is effect:
                    # The client's silence is nobody's rule.
                    silent = trace.layer == "client" and not trace.rule
                    layer = "none" if silent else trace.layer
                    return Decision(effect, trace.rule, layer, uses)
        return Decision(Effect.ALLOW, traces[-1].rule, "client", uses)

    def explain(
        self, client: str, permission_type: PermissionType, resource: str, narrowing: Narrowing | None = None
    ) -> tuple[RuleTrace, ...]:
        """Return the answer of each layer; arguments as for `decide`."""
        try:
            subject = PolicySubject.read(permission_type, resource)
        except ValueError as error:
            reason = f"the resource {error}, so it cannot be compared"
            return (RuleTrace("none", MALFORMED, Effect.DENY, reason=reason),)
        policy = self._policy
        profile = policy.clients.get(client)
        above = self._default_deny(policy.default_deny, subject), self._ceiling(policy.ceiling, subject)
        if narrowing is None:
            return (*above, self._client(profile, subject))
        return (*above, self._token(profile, narrowing, subject), self._client(profile, subject))

    def might_use(self, client: str, permission: Permission, narrowing: Narrowing | None = None) -> bool:
        """Whether some resource might be granted, or asked for, under a declared permission.

        Says no only when surely nothing could be: it filters what a client is shown, and decides no call.

        Args:
            client: The client's name.
            permission: What a tool, prompt or resource declares.
            narrowing: As for `decide`.
        """
        profile = self._policy.clients.get(client)
        if profile is None:
            return False
        if not permission.restricted:
            # For paths there is nothing outside the sandbox that a policy could name.
            if permission.type.is_path:
                return False
            return self.decide(client, permission.type, UNRESTRICTED, narrowing).effect is not Effect.DENY
        try:
            declared = self._declared(profile, permission)
        except ConfigurationError as error:
            # Registration refuses such a pattern; one that came another way matches nothing.
            logger.warning("%s is declared with a pattern that cannot be used: %s", permission.type, error)
            return False
        types = [permission.type]
        if permission.type == PermissionType.FILE_WRITE:
            # A tool that writes is declared once; the folder decides which of the two rights it needs.
            types.append(PermissionType.FILE_WRITE_GLOBAL)
        if narrowing is not None:
            covered = self._narrowed(profile, narrowing).allow
            types = [kind for kind in types if _overlaps(covered, kind, declared)]
        return any(self._might_use_type(profile, kind, declared) for kind in types)

    def smallest_grant(
        self, client: str, permission_type: PermissionType, resource: str, narrowing: Narrowing | None = None
    ) -> str:
        """Return the text of the narrowest rule that would let `client` use `resource`, for its `allow` or `ask`.

        Empty when no rule of the client could: a denial stands in the way, or the ceiling, its token or its folders.

        Args:
            client: The client's name.
            permission_type: The kind of right.
            resource: As for `decide`.
            narrowing: As for `decide`.
        """
        profile = self._policy.clients.get(client)
        try:
            subject = PolicySubject.read(permission_type, resource)
        except ValueError:
            return ""
        if profile is None:
            return ""
        traces = self.explain(client, permission_type, resource, narrowing)
        last = traces[-1]
        if any(trace.effect is Effect.DENY for trace in traces[:-1]) or (last.effect is Effect.DENY and last.rule):
            return ""
        if not permission_type.is_path:
            return "" if literal_pattern(permission_type, resource) is None else f"{permission_type} {resource}"
        return f"{permission_type} {_narrowest(profile, permission_type, subject)}"

    def _default_deny(self, layer: PolicyLayer, subject: PolicySubject) -> RuleTrace:
        rule = layer.rule_for(Effect.DENY, subject)
        if rule is None:
            return _NO_DENIAL
        return _spoken("default_deny", rule)

    def _ceiling(self, layer: PolicyLayer | None, subject: PolicySubject) -> RuleTrace:
        if layer is None:
            return _NO_CEILING
        for effect in (Effect.DENY, Effect.ASK, Effect.ALLOW):
            rule = layer.rule_for(effect, subject)
            if rule is not None:
                return _spoken("ceiling", rule)
        return _ABOVE_CEILING

    def _token(self, profile: ClientProfile | None, narrowing: Narrowing, subject: PolicySubject) -> RuleTrace:
        rule = None if profile is None else self._narrowed(profile, narrowing).rule_for(Effect.ALLOW, subject)
        return _BEYOND_TOKEN if rule is None else _spoken("token", rule)

    def _narrowed(self, profile: ClientProfile, narrowing: Narrowing) -> PolicyLayer:
        """Return what a token covers, as rules about this client's folders."""
        key = (profile.name, narrowing.digest)
        layer = self._narrowings.get(key)
        if layer is None:
            # On first use: a server without tokens never needs it.
            from mcp_server.security.permissions.narrowing_compiler import compile_narrowing

            if len(self._narrowings) >= MAX_NARROWINGS:
                self._narrowings.clear()
            layer = self._narrowings[key] = compile_narrowing(
                narrowing, profile, self._policy.scopes, self._policy.matchers
            )
        return layer

    def _client(self, profile: ClientProfile | None, subject: PolicySubject) -> RuleTrace:
        if profile is None:
            return RuleTrace("client", "", Effect.DENY, reason="the policy does not name this client")
        rules = profile.rules
        rule = rules.rule_for(Effect.DENY, subject)
        if rule is not None:
            return _spoken("client", rule)
        if subject.type.is_path and not profile.holds(subject.type, subject.parts):
            reason = f"it lies outside the folders where {profile.name!r} may use {subject.type}"
            return RuleTrace("client", f"{profile.name}.folders", Effect.DENY, reason=reason)
        grants = self._grants.get(profile.name, ()) if profile.grants else ()
        for effect in (Effect.ASK, Effect.ALLOW):
            rule = rules.rule_for(effect, subject)
            if rule is None and grants:
                rule = self._granted(grants, effect, subject)
            if rule is not None:
                return _spoken("client", rule)
        reason = f"no rule of {profile.name!r} grants it"
        uses: GrantLimits | None = None
        for rule in profile.grants:
            if rule.limits is not None and rule.matches(subject):
                reason += f"; {rule.id} would, but {rule.limits.reason_at(self._now)}"
                uses = rule.limits if _is_counted(rule) else uses
        return RuleTrace("client", "", Effect.DENY, reason=reason, uses=uses)

    def _granted(self, grants: Sequence[PolicyRule], effect: Effect, subject: PolicySubject) -> PolicyRule | None:
        for rule in grants:
            if rule.effect is effect and rule.matches(subject) and self._is_left(rule):
                return rule
        return None

    def _is_left(self, rule: PolicyRule) -> bool:
        limits = rule.limits
        if limits is None or limits.max_uses is None:
            return True
        return self._uses_left is not None and self._uses_left(limits) > 0

    def _declared(self, profile: ClientProfile, permission: Permission) -> tuple[PathPattern | ResourcePattern, ...]:
        if not permission.type.is_path:
            return (compile_pattern(permission.type, permission.pattern),)
        pattern = PathPattern.compile(permission.pattern)
        if pattern.is_absolute:
            return (pattern,)
        return tuple(pattern.under(folder) for folder in (*profile.folders, *profile.global_folders))

    def _might_use_type(
        self,
        profile: ClientProfile,
        permission_type: PermissionType,
        declared: tuple[PathPattern | ResourcePattern, ...],
    ) -> bool:
        rules = profile.rules
        ceiling = self._policy.ceiling
        denials = self._wide_denials if rules.deny == () else (*self._wide_denials, *rules.deny)
        if any(_denies_all(rule, permission_type, profile) for rule in denials):
            return False
        if ceiling is not None and not _overlaps((*ceiling.ask, *ceiling.allow), permission_type, declared):
            return False
        granted = (*rules.ask, *rules.allow, *self._grants.get(profile.name, ()))
        return _overlaps(granted, permission_type, declared)


def _spoken(layer: str, rule: PolicyRule) -> RuleTrace:
    return RuleTrace(layer, rule.id, rule.effect, True, rule.text, uses=rule.limits if _is_counted(rule) else None)


def _is_counted(rule: PolicyRule) -> bool:
    return rule.limits is not None and rule.limits.max_uses is not None


def _overlaps(
    rules: tuple[PolicyRule, ...],
    permission_type: PermissionType,
    declared: tuple[PathPattern | ResourcePattern, ...],
) -> bool:
    return any(
        not _surely_disjoint(granted, wanted)
        for rule in rules
        if permission_type in rule.types
        for granted in rule.patterns
        for wanted in declared
    )


def _surely_disjoint(granted: PathPattern | ResourcePattern, wanted: PathPattern | ResourcePattern) -> bool:
    if isinstance(granted, PathPattern):
        return isinstance(wanted, PathPattern) and granted.is_disjoint(wanted)
    if not isinstance(wanted, ResourcePattern):
        return False
    # What is granted as `unrestricted` is no resource that a restricted permission could be about.
    return granted.pieces == (UNRESTRICTED,) or granted.is_disjoint(wanted)


def _denies_all(rule: PolicyRule, permission_type: PermissionType, profile: ClientProfile) -> bool:
    if permission_type not in rule.types or not any(pattern.is_everything for pattern in rule.patterns):
        return False
    if not permission_type.is_path:
        return True
    # A client's own `**` is about its own folders; a global one may lie elsewhere.
    anchored_everywhere = any(isinstance(each, PathPattern) and not each.anchor for each in rule.patterns)
    return anchored_everywhere or not profile.global_folders


def _narrowest(profile: ClientProfile, permission_type: PermissionType, subject: PolicySubject) -> str:
    """Return the pattern for one path: relative to the client's folder where possible."""
    is_global_right = permission_type == PermissionType.FILE_WRITE_GLOBAL
    text = subject.text
    for folder in profile.global_folders if is_global_right else profile.folders:
        inside = folder.rstrip("/") + "/"
        if text.startswith(inside) and len(text) > len(inside):
            text = text[len(inside) :]
            break
    # What patterns do not have is matched by `?`, which is the narrowest that they do have.
    literal = "".join("?" if character in "*?[]{}\\~" else character for character in text)
    return "?" + literal[1:] if literal.startswith("!") else literal
