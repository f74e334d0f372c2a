from __future__ import annotations

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.attempt_budget import AttemptBudget
from tests.security.chain.fake_clock import FakeClock


def is_heard(budget: AttemptBudget, source: str) -> bool:
    try:
        budget.check(source)
    except AuthenticationError as error:
        assert error.reason == "too many failures from this source"  # noqa: PT017 - either way is an answer here
        return False
    return True


def test_a_budget_is_used_up_and_comes_back() -> None:
    clock = FakeClock()
    budget = AttemptBudget(max_failures=3, refill_seconds=30, clock=clock)
    for left in (True, True, False):
        budget.count_failure("192.0.2.1")
        assert is_heard(budget, "192.0.2.1") is left
    clock.advance(9.9)
    assert not is_heard(budget, "192.0.2.1")
    clock.advance(0.2)
    assert is_heard(budget, "192.0.2.1")
    clock.advance(3600)
    for left in (True, True, False):
        budget.count_failure("192.0.2.1")
        assert is_heard(budget, "192.0.2.1") is left


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("uid 1000", "uid 1001", False),
    ],
)
def test_what_counts_as_one_source(one: str, other: str, is_same: bool) -> None:
    budget = AttemptBudget(max_failures=1, clock=FakeClock())
    budget.count_failure(one)
    assert is_heard(budget, other) is not is_same


def test_nobody_in_particular_is_not_counted() -> None:
    budget = AttemptBudget(max_failures=1, clock=FakeClock())
    for _ in range(5):
        budget.count_failure("")
    assert is_heard(budget, "")


def test_the_source_that_failed_longest_ago_is_forgotten_first() -> None:
    budget = AttemptBudget(max_failures=1, max_sources=2, clock=FakeClock())
    for source in ("a", "b", "a", "c"):
        budget.count_failure(source)
    assert [is_heard(budget, source) for source in ("a", "b", "c")] == [False, True, False]
    assert len(budget._left) == 2
