"""Step 2 of the chain: what the policy in force says."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock
from typing import Final

from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.decision import Decision
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_limits import GrantLimits
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import FAILED
from mcp_server.security.permissions.policy_generation import PolicyGeneration
from mcp_server.security.permissions.rule_trace import RuleTrace
from mcp_server.security.permissions.use_ledger import UseLedger

# Enough for the files of a large project; about 2 MiB.
MAX_CACHED_DECISIONS: Final = 8192
# A longer resource is decided anew each time, or a client could fill the memory with keys.
MAX_CACHED_RESOURCE_CHARACTERS: Final = 512


class PermissionManager:
    """Answer whether a client may use a resource, by the policy in force, and remember the answer.

    The memory belongs to one epoch: `replace` begins another, with an empty one, and no answer of an older policy is
    ever given to a question that was put after it. So does the clock, when it comes to a time at which a grant begins
    or expires, or is set back behind one. What is counted is never remembered. Nothing else an answer depends on can
    change, so a remembered answer is the one that a fresh evaluation would give.

    Does not ask anybody, and does not know whether a tool declared what it uses: the chain does.

    Args:
        policy: The policy to begin with.
        max_cached_decisions: How many answers are remembered; when they are, all are forgotten and it begins anew.
        ledger: Counts the uses of grants that are counted.
        clock: Seconds since the epoch, for grants that are limited in time.

    >>> manager = PermissionManager(policy=Policy.for_folders(["/"]))
    >>> manager.decide("local", PermissionType.FILE_READ, "/a.txt").is_allowed
    True
    >>> manager.decide("stranger", PermissionType.FILE_READ, "/a.txt").is_allowed
    False
    """

    __slots__ = ("_clock", "_generation", "_ledger", "_lock", "_max_cached_decisions", "isolates")

    def __init__(
        self,
        *,
        policy: Policy,
        max_cached_decisions: int = MAX_CACHED_DECISIONS,
        ledger: UseLedger | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._max_cached_decisions = max_cached_decisions
        self._ledger = UseLedger() if ledger is None else ledger
        self._clock = clock
        self._lock = Lock()
        self._generation = self._begin(policy, 1)
        self.isolates = policy.isolates
        """Whether the policy in force lets any handler run apart."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._generation.policy

    @property
    def epoch(self) -> int:
        """The number of the policy in force, counted from 1; a policy that came later has a higher one.

        What one policy says at a later time, when another grant holds, has a higher one as well.
        """
        generation = self._generation
        return self._current().epoch if generation.is_timed else generation.epoch

    def replace(self, policy: Policy) -> int:
        """Put `policy` in force for every question from now on, and return its epoch."""
        with self._lock:
            epoch = self._generation.epoch + 1
            # One assignment: a question sees the old policy with its memory or the new one with its own.
            self._generation = self._begin(policy, epoch)
            self.isolates = policy.isolates
            return epoch

    def profile(self, client: str) -> ClientProfile | None:
        """Return what the policy says of `client`, None when it does not name it."""
        return self._generation.policy.clients.get(client)

    def decide(
        self, client: str, permission_type: PermissionType, resource: str, narrowing: Narrowing | None = None
    ) -> Decision:
        """Return what the policy says of one resource as often as it is used; see `PolicyEvaluator.decide`.

        What a counted grant would allow takes more than a look, and is answered as what a human would be asked for.
        """
        generation = self._generation
        if narrowing is None and not generation.is_timed:
            try:
                # What is remembered is not counted.
                return generation.decisions[client, permission_type, resource]
            except KeyError:
                decision = self._decide_anew(generation, client, permission_type, resource, None)
        else:
            decision = self.decide_use(client, permission_type, resource, narrowing)
        if decision.uses is not None and decision.effect is Effect.ALLOW:
            return replace(decision, effect=Effect.ASK)
        return decision

    def decide_use(
        self, client: str, permission_type: PermissionType, resource: str, narrowing: Narrowing | None = None
    ) -> Decision:
        """Return what the policy says of using one resource once; what has `uses` must be spent before it is used."""
        generation = self._generation
        if generation.is_timed:
            generation = self._current()
        try:
            if narrowing is None:
                return generation.decisions[client, permission_type, resource]
            return generation.narrowed[client, permission_type, resource, narrowing.digest]
        except KeyError:
            return self._decide_anew(generation, client, permission_type, resource, narrowing)

    def spend(self, wanted: Sequence[GrantLimits]) -> bool:
        """Count one use of each grant, each as often as it stands there; return whether all of them were left."""
        return self._ledger.spend(wanted)

    def might_use(self, client: str, permission: Permission, narrowing: Narrowing | None = None) -> bool:
        """Whether any grant might cover a declared permission; see `PolicyEvaluator.might_use`."""
        generation = self._current()
        key = (client, permission, "" if narrowing is None else narrowing.digest)
        try:
            return generation.prospects[key]
        except KeyError:
            prospect = generation.evaluator.might_use(client, permission, narrowing)
        if client in generation.policy.clients:
            if len(generation.prospects) >= self._max_cached_decisions:
                generation.prospects.clear()
            generation.prospects[key] = prospect
        return prospect

    def explain(
        self, client: str, permission_type: PermissionType, resource: str, narrowing: Narrowing | None = None
    ) -> tuple[RuleTrace, ...]:
        """Return the answer of each layer of the policy; see `PolicyEvaluator.explain`."""
        return self._current().evaluator.explain(client, permission_type, resource, narrowing)

    def smallest_grant(
        self, client: str, permission_type: PermissionType, resource: str, narrowing: Narrowing | None = None
    ) -> str:
        """Return the narrowest rule that would grant a resource; see `PolicyEvaluator.smallest_grant`."""
        return self._current().evaluator.smallest_grant(client, permission_type, resource, narrowing)

    def _begin(self, policy: Policy, epoch: int) -> PolicyGeneration:
        return PolicyGeneration.at(policy, epoch=epoch, now=self._clock, uses_left=self._ledger.left)

    def _current(self) -> PolicyGeneration:
        """Return the generation of this moment, beginning another where the time of the last one is over."""
        generation = self._generation
        if not generation.is_timed or generation.begins <= self._clock() < generation.ends:
            return generation
        with self._lock:
            # Somebody else may have been here meanwhile, with a generation of now or with another policy.
            generation = self._generation
            if generation.is_timed and not generation.begins <= self._clock() < generation.ends:
                generation = self._generation = self._begin(generation.policy, generation.epoch + 1)
            return generation

    def _decide_anew(
        self,
        generation: PolicyGeneration,
        client: str,
        permission_type: PermissionType,
        resource: str,
        narrowing: Narrowing | None,
    ) -> Decision:
        decision = generation.evaluator.decide(client, permission_type, resource, narrowing)
        # A name the policy does not know is not remembered: there may be any number of them.
        if (
            len(resource) <= MAX_CACHED_RESOURCE_CHARACTERS
            and client in generation.policy.clients
            and decision.rule != FAILED
            and decision.uses is None
        ):
            # Into the memory of the policy that decided, which `replace` may have dropped by now.
            if narrowing is None:
                if len(generation.decisions) >= self._max_cached_decisions:
                    generation.decisions.clear()
                generation.decisions[client, permission_type, resource] = decision
            else:
                if len(generation.narrowed) >= self._max_cached_decisions:
                    generation.narrowed.clear()
                generation.narrowed[client, permission_type, resource, narrowing.digest] = decision
        return decision
