"""One policy in force at one time, with what was decided by it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from typing import Self

from mcp_server.security.permissions.decision import Decision
from mcp_server.security.permissions.grant_limits import GrantLimits
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGeneration:
    """A policy, its epoch, and the memory of its decisions: they come and go together.

    Where grants begin or expire, a generation lasts from one such time to the next, for between them no answer changes.

    Args:
        policy: The policy.
        epoch: Its number.
        evaluator: Applies it.
        is_timed: Whether it may be over at some time.
        begins: When it began to hold, in seconds since the epoch.
        ends: The first time at which it holds no more.
        decisions: What was decided, by client, kind of right and resource.
        narrowed: The same for clients with a token that narrows, by the narrowing's digest as well.
        prospects: Whether a declared permission might be granted, by client, permission and digest.

    >>> policy = Policy()
    >>> PolicyGeneration(policy=policy, epoch=1, evaluator=PolicyEvaluator(policy)).decisions
    {}
    """

    policy: Policy
    epoch: int
    evaluator: PolicyEvaluator
    is_timed: bool = False
    begins: float = -inf
    ends: float = inf
    decisions: dict[tuple[str, PermissionType, str], Decision] = field(default_factory=dict, compare=False)
    narrowed: dict[tuple[str, PermissionType, str, str], Decision] = field(default_factory=dict, compare=False)
    prospects: dict[tuple[str, Permission, str], bool] = field(default_factory=dict, compare=False)

    @classmethod
    def at(
        cls, policy: Policy, *, epoch: int, now: Callable[[], float], uses_left: Callable[[GrantLimits], int] | None
    ) -> Self:
        """Return the generation of a policy that holds now.

        Args:
            policy: The policy.
            epoch: Its number.
            now: Tells the time in seconds since the epoch; asked only where something depends on it.
            uses_left: How often a counted grant may still be used.
        """
        edges = policy.edges
        if not edges:
            return cls(policy=policy, epoch=epoch, evaluator=PolicyEvaluator(policy, uses_left=uses_left))
        time = now()
        place = bisect_right(edges, time)
        return cls(
            policy=policy,
            epoch=epoch,
            evaluator=PolicyEvaluator(policy, now=time, uses_left=uses_left),
            is_timed=True,
            begins=edges[place - 1] if place else -inf,
            ends=edges[place] if place < len(edges) else inf,
        )
