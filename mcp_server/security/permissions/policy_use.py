"""Which rules of a policy a recorded log would be decided by."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.recorded_question import RecordedQuestion


def unused_rules(policy: Policy, questions: Iterable[RecordedQuestion]) -> tuple[PolicyRule, ...]:
    """Return the rules that speak of nothing that was ever asked, in the order of the file.

    The questions are put to the policy anew, at their own times and to every layer, so that it does not matter under
    which policy they were recorded. Counted grants are taken as unused. The shipped denials are nobody's to take out,
    and are left out.

    Args:
        policy: The policy.
        questions: What a log tells of.

    >>> [rule.id for rule in unused_rules(Policy.for_folders(["/"]), [])]
    ['local.allow[0]', 'local.allow[1]', 'local.allow[2]']
    """
    edges = policy.edges
    evaluators: dict[int, PolicyEvaluator] = {}
    spoken: set[str] = set()
    for asked in questions:
        place = bisect_right(edges, asked.at)
        evaluator = evaluators.get(place)
        if evaluator is None:
            evaluator = PolicyEvaluator(policy, now=asked.at, uses_left=lambda limits: limits.max_uses or 0)
            evaluators[place] = evaluator
        spoken.update(trace.rule for trace in evaluator.explain(asked.client, asked.type, asked.resource))
    ceiling = policy.ceiling
    rules = [rule for rule in policy.default_deny.deny if not rule.id.startswith("default_deny.shipped")]
    rules += () if ceiling is None else (*ceiling.allow, *ceiling.ask, *ceiling.deny)
    for profile in policy.clients.values():
        rules += (*profile.rules.allow, *profile.rules.ask, *profile.rules.deny, *profile.grants)
    return tuple(rule for rule in rules if rule.id not in spoken)
