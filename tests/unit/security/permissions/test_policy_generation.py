from __future__ import annotations

from math import inf

import pytest

from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_evaluator import PolicyEvaluator
from mcp_server.security.permissions.policy_generation import PolicyGeneration
from mcp_server.security.permissions.policy_loader import PolicyLoader


def test_each_generation_has_a_memory_of_its_own() -> None:
    policy = Policy()
    one, two = (PolicyGeneration(policy=policy, epoch=epoch, evaluator=PolicyEvaluator(policy)) for epoch in (1, 2))
    assert one.decisions is not two.decisions
    assert one.prospects is not two.prospects


GRANT = """
version = 1
[client.ada]
[[client.ada.grant]]
allow = "CUSTOM_X a"
not_before = 1970-01-01T00:00:10Z
expires = 1970-01-01T00:00:20Z
[[client.ada.grant]]
allow = "CUSTOM_X b"
expires = 1970-01-01T00:00:30Z
"""


@pytest.mark.parametrize(
    ("now", "begins", "ends", "allowed"),
    [
        (0.0, -inf, 10.0, "b"),
        (9.999, -inf, 10.0, "b"),
        (10.0, 10.0, 20.0, "ab"),
        (19.999, 10.0, 20.0, "ab"),
        (20.0, 20.0, 30.0, "b"),
        (30.0, 30.0, inf, ""),
    ],
)
def test_a_generation_lasts_from_one_edge_to_the_next(now: float, begins: float, ends: float, allowed: str) -> None:
    policy = PolicyLoader().parse(GRANT)
    generation = PolicyGeneration.at(policy, epoch=3, now=lambda: now, uses_left=None)
    assert (generation.is_timed, generation.begins, generation.ends, generation.epoch) == (True, begins, ends, 3)
    x = PermissionType.custom("CUSTOM_X")
    assert "".join(each for each in "ab" if generation.evaluator.decide("ada", x, each).is_allowed) == allowed


def test_where_nothing_has_a_time_nobody_looks_at_the_clock() -> None:
    def clock() -> float:
        raise AssertionError("nobody needs to know")

    generation = PolicyGeneration.at(Policy(), epoch=1, now=clock, uses_left=None)
    assert not generation.is_timed
