from __future__ import annotations

import pytest

from mcp_server.security.operation import Operation
from tests.security.chain.chain_rig import nothing


def test_a_plan_is_taken_to_have_effects_unless_it_says_otherwise() -> None:
    plan = Operation(kind="tools/call", name="x", execute=nothing)
    assert plan.has_effects
    assert (plan.permissions, plan.needs, plan.arguments) == ((), (), None)


def test_a_plan_is_a_value() -> None:
    plan = Operation(kind="tools/call", name="x", execute=nothing)
    with pytest.raises(AttributeError):
        plan.name = "y"  # type: ignore[misc]
    assert plan._replace(name="y").name == "y"
