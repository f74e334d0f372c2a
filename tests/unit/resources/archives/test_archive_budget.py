from __future__ import annotations

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_limits import ArchiveLimits


def test_the_clock_is_looked_at_with_every_piece() -> None:
    now = [0.0]
    budget = ArchiveBudget(ArchiveLimits(max_seconds=10), clock=lambda: now[0])
    budget.tick()
    now[0] = 10.0
    budget.produce(1, produced=1, consumed=1)
    now[0] = 10.1
    for use in (budget.tick, budget.count, lambda: budget.produce(1, produced=1, consumed=1)):
        with pytest.raises(LimitExceededError) as caught:
            use()
        assert caught.value.limit == "max_seconds"


@pytest.mark.parametrize(
    ("produced", "consumed", "is_stopped"),
    [(1_000, 1, False), (1_001, 0, True), (1_001, 100, True), (1_001, 101, False), (5_000, 499, True)],
)
def test_the_ratio_counts_from_a_size_on(produced: int, consumed: int, is_stopped: bool) -> None:
    budget = ArchiveBudget(ArchiveLimits(ratio_from_bytes=1_000, max_ratio=10))
    told = None
    try:
        budget.produce(1, produced=produced, consumed=consumed)
    except LimitExceededError as error:
        told = error.limit
    assert told == ("max_ratio" if is_stopped else None)


def test_all_streams_together_have_one_bound() -> None:
    budget = ArchiveBudget(ArchiveLimits(max_total_bytes=100))
    budget.produce(60, produced=60, consumed=60)
    with pytest.raises(LimitExceededError, match="in all"):
        budget.produce(60, produced=60, consumed=60)
