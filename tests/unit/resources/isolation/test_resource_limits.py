from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.isolation.resource_limits import SANDBOX_CEILINGS, ResourceLimits

NAMES = [field.name for field in fields(ResourceLimits)]
LIMITS = st.builds(ResourceLimits, **{name: st.integers(1, 2**40) for name in NAMES})


@given(LIMITS, LIMITS)
def test_what_is_narrowed_is_never_wider_than_either(one: ResourceLimits, other: ResourceLimits) -> None:
    both = one.narrow(other)
    for name in NAMES:
        assert getattr(both, name) == min(getattr(one, name), getattr(other, name))
    assert both == other.narrow(one) == both.narrow(one)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1])
def test_a_limit_is_positive(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{name} must be positive"):
        ResourceLimits(**{name: value})


def test_every_limit_has_a_ceiling_and_the_defaults_are_below() -> None:
    assert set(SANDBOX_CEILINGS) == set(NAMES)
    assert all(getattr(ResourceLimits(), name) <= ceiling for name, ceiling in SANDBOX_CEILINGS.items())


def test_the_json_has_every_limit_in_its_order() -> None:
    assert list(ResourceLimits(wall_seconds=1.5).to_json()) == NAMES
    assert ResourceLimits(wall_seconds=1.5).to_json()["wall_seconds"] == 1.5
