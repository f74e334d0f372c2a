from __future__ import annotations

import json

import pytest

from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.sandbox_config import MAX_COPIED_FILES, SandboxConfig


@pytest.mark.parametrize("accounts", [(999, 2000), (0, 0), (-1, 5), (2000, 1999), (1000, 2**32 - 2), (1000, 2**32)])
def test_accounts_are_a_range_that_is_not_the_systems(accounts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="range of user ids"):
        SandboxConfig(accounts=accounts)


@pytest.mark.parametrize("accounts", [None, (1000, 1000), (210_000, 210_063), (1000, 2**32 - 3)])
def test_other_accounts_are_taken(accounts: tuple[int, int] | None) -> None:
    assert SandboxConfig(accounts=accounts).accounts == accounts


def test_without_a_word_from_the_operator_namespaces_are_demanded_and_root_has_no_accounts() -> None:
    assert SandboxConfig().min_tier is IsolationTier.NS
    assert SandboxConfig().accounts is None
    assert json.loads(json.dumps(SandboxConfig().to_json()))["min_tier"] == "ns"


def test_a_policy_lets_no_more_be_copied_than_a_walk_finds() -> None:
    assert FileLimits().max_walk_entries == MAX_COPIED_FILES
