"""One policy in force, with what was decided by it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mcp_server.security.permissions.decision import Decision
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyGeneration:
    """A policy, its epoch, and the memory of its decisions: they come and go together.

    Args:
        policy: The policy.
        epoch: Its number.
        evaluator: Applies it.
        decisions: What was decided, by client, kind of right and resource.
        prospects: Whether a declared permission might be granted, by client and permission.

    >>> policy = Policy()
    >>> PolicyGeneration(policy=policy, epoch=1, evaluator=PolicyEvaluator(policy)).decisions
    {}
    """

    policy: Policy
    epoch: int
    evaluator: PolicyEvaluator
    decisions: dict[tuple[str, PermissionType, str], Decision] = field(default_factory=dict, compare=False)
    prospects: dict[tuple[str, Permission], bool] = field(default_factory=dict, compare=False)
