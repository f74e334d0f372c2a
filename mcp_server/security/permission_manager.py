"""Step 2 of the chain: what the policy in force says."""

from __future__ import annotations

from threading import Lock
from typing import Final

from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.decision import Decision
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import FAILED, PolicyEvaluator
from mcp_server.security.permissions.policy_generation import PolicyGeneration
from mcp_server.security.permissions.rule_trace import RuleTrace

# Enough for the files of a large project; about 2 MiB.
MAX_CACHED_DECISIONS: Final = 8192
# A longer resource is decided anew each time, or a client could fill the memory with keys.
MAX_CACHED_RESOURCE_CHARACTERS: Final = 512


class PermissionManager:
    """Answer whether a client may use a resource, by the policy in force, and remember the answer.

    The memory belongs to one epoch: `replace` begins another, with an empty one, and no answer of an older policy is
    ever given to a question that was put after it. Nothing else an answer depends on can change, so a remembered
    answer is the one that a fresh evaluation would give.

    Does not ask anybody, and does not know whether a tool declared what it uses: the chain does.

    Args:
        policy: The policy to begin with.
        max_cached_decisions: How many answers are remembered; when they are, all are forgotten and it begins anew.

    >>> manager = PermissionManager(policy=Policy.for_folders(["/"]))
    >>> manager.decide("local", PermissionType.FILE_READ, "/a.txt").is_allowed
    True
    >>> manager.decide("stranger", PermissionType.FILE_READ, "/a.txt").is_allowed
    False
    """

    __slots__ = ("_generation", "_lock", "_max_cached_decisions", "epoch")

    def __init__(self, *, policy: Policy, max_cached_decisions: int = MAX_CACHED_DECISIONS) -> None:
        self._max_cached_decisions = max_cached_decisions
        self._lock = Lock()
        self._generation = PolicyGeneration(policy=policy, epoch=1, evaluator=PolicyEvaluator(policy))
        # Asked for several times a call, so it is no property.
        self.epoch = 1
        """The number of the policy in force, counted from 1; a policy that came later has a higher one."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._generation.policy

    def replace(self, policy: Policy) -> int:
        """Put `policy` in force for every question from now on, and return its epoch."""
        with self._lock:
            epoch = self._generation.epoch + 1
            # One assignment: a question sees the old policy with its memory or the new one with its own.
            self._generation = PolicyGeneration(policy=policy, epoch=epoch, evaluator=PolicyEvaluator(policy))
            # Behind the policy: what somebody decides in between by the new one goes under the old number, and is
            # decided anew.
            self.epoch = epoch
            return epoch

    def profile(self, client: str) -> ClientProfile | None:
        """Return what the policy says of `client`, None when it does not name it."""
        return self._generation.policy.clients.get(client)

    def decide(self, client: str, permission_type: PermissionType, resource: str) -> Decision:
        """Return what the policy says of one resource; see `PolicyEvaluator.decide`."""
        generation = self._generation
        try:
            return generation.decisions[client, permission_type, resource]
        except KeyError:
            return self._decide_anew(generation, client, permission_type, resource)

    def might_use(self, client: str, permission: Permission) -> bool:
        """Whether any grant might cover a declared permission; see `PolicyEvaluator.might_use`."""
        generation = self._generation
        try:
            return generation.prospects[client, permission]
        except KeyError:
            prospect = generation.evaluator.might_use(client, permission)
        if client in generation.policy.clients:
            if len(generation.prospects) >= self._max_cached_decisions:
                generation.prospects.clear()
            generation.prospects[client, permission] = prospect
        return prospect

    def explain(self, client: str, permission_type: PermissionType, resource: str) -> tuple[RuleTrace, ...]:
        """Return the answer of each layer of the policy; see `PolicyEvaluator.explain`."""
        return self._generation.evaluator.explain(client, permission_type, resource)

    def smallest_grant(self, client: str, permission_type: PermissionType, resource: str) -> str:
        """Return the narrowest rule that would grant a resource; see `PolicyEvaluator.smallest_grant`."""
        return self._generation.evaluator.smallest_grant(client, permission_type, resource)

    def _decide_anew(
        self, generation: PolicyGeneration, client: str, permission_type: PermissionType, resource: str
    ) -> Decision:
        decision = generation.evaluator.decide(client, permission_type, resource)
        # A name the policy does not know is not remembered: there may be any number of them.
        if (
            len(resource) <= MAX_CACHED_RESOURCE_CHARACTERS
            and client in generation.policy.clients
            and decision.rule != FAILED
        ):
            if len(generation.decisions) >= self._max_cached_decisions:
                generation.decisions.clear()
            # Into the memory of the policy that decided, which `replace` may have dropped by now.
            generation.decisions[client, permission_type, resource] = decision
        return decision
