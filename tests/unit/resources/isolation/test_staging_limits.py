"""The bounds of one staged run."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from mcp_server.resources.isolation.staging_limits import StagingLimits


def test_the_defaults_are_the_documented_ones() -> None:
    limits = StagingLimits()
    assert (limits.max_bytes, limits.max_files, limits.max_depth) == (256 * 1024 * 1024, 10_000, 64)
    assert limits.max_listed_effects == 1_000


def test_limits_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        StagingLimits().max_bytes = 1  # type: ignore[misc]  # that is what is tested
