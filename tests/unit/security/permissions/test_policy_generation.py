from __future__ import annotations

from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_generation import PolicyGeneration


def test_each_generation_has_a_memory_of_its_own() -> None:
    policy = Policy()
    one, two = (PolicyGeneration(policy=policy, epoch=epoch, evaluator=PolicyEvaluator(policy)) for epoch in (1, 2))
    assert one.decisions is not two.decisions
    assert one.prospects is not two.prospects
