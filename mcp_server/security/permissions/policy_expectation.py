"""What an operator expects a policy to decide."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.asked_resource import asked_resource
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator


@dataclass(frozen=True, slots=True)
class PolicyExpectation:
    """One question and the answer it should have.

    Args:
        client: Who asks.
        type: The kind of right.
        resource: The resource; a path may be relative to the client's first folder.
        effect: The expected answer.
        at: The time at which it is asked, in seconds since the epoch; None for whenever the test runs.
        line: Its line.

    >>> read = PolicyExpectation("local", PermissionType.FILE_READ, "/a", Effect.DENY)
    >>> read.problem(Policy.for_folders(["/"]), now=0.0)
    "local: FILE_READ '/a' is allow by local.allow[0], and deny was expected"
    """

    client: str
    type: PermissionType
    resource: str
    effect: Effect
    at: float | None = None
    line: int | None = None

    def problem(self, policy: Policy, *, now: float) -> str | None:
        """Return how the policy decides otherwise, None when it decides as expected.

        Counted grants are taken as unused.

        Args:
            policy: The policy.
            now: The time, for expectations that name none.
        """
        profile = policy.clients.get(self.client)
        resource = self.resource
        if profile is not None:
            try:
                resource = asked_resource(profile, self.type, resource)
            except ConfigurationError as error:
                return str(error)
        evaluator = PolicyEvaluator(
            policy, now=now if self.at is None else self.at, uses_left=lambda limits: limits.max_uses or 0
        )
        decision = evaluator.decide(self.client, self.type, resource)
        if decision.effect is self.effect:
            return None
        rule = decision.rule or "no rule"
        return (
            f"{self.client}: {self.type} {resource!r} is {decision.effect.value} by {rule}, "
            f"and {self.effect.value} was expected"
        )
