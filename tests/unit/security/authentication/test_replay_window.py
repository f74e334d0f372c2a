from __future__ import annotations

from typing import Any

import pytest

from mcp_server.security.authentication.replay_window import ReplayWindow
from tests.security.chain.fake_clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000)


def window(clock: FakeClock, **bounds: Any) -> ReplayWindow:
    return ReplayWindow(**{"seconds_back": 60, "seconds_ahead": 10, "clock": clock, **bounds})


def test_each_thing_is_admitted_once(clock: FakeClock) -> None:
    seen = window(clock)
    seen.admit("a", "1", 1000)
    seen.admit("a", "2", 1000)
    seen.admit("b", "1", 1000)
    for owner, identity in (("a", "1"), ("a", "2"), ("b", "1")):
        with pytest.raises(ValueError, match="seen before"):
            seen.admit(owner, identity, 1000)


def test_owner_and_id_are_not_run_together(clock: FakeClock) -> None:
    seen = window(clock)
    seen.admit("a", "b c", 1000)
    seen.admit("a b", "c", 1000)
    with pytest.raises(ValueError, match="seen before"):
        seen.admit("a b", "c", 1000)


@pytest.mark.parametrize(("made_at", "why"), [(1039, "too old"), (1111, "future"), (999, "before the start")])
def test_what_is_not_fresh_is_refused(clock: FakeClock, made_at: int, why: str) -> None:
    seen = window(clock)
    clock.now = 1100 if why != "before the start" else 1001
    with pytest.raises(ValueError, match=why):
        seen.admit("a", "1", made_at)


@pytest.mark.parametrize("made_at", [1040, 1110])
def test_what_is_just_fresh_is_admitted(clock: FakeClock, made_at: int) -> None:
    seen = window(clock)
    clock.now = 1100
    seen.check_time(made_at)
    seen.admit("a", "1", made_at)


def test_what_was_made_in_the_second_of_the_start_may_have_been_seen(clock: FakeClock) -> None:
    clock.now = 1000.5
    seen = window(clock)
    with pytest.raises(ValueError, match="before the start"):
        seen.check_time(1000)


def test_a_thing_is_remembered_for_as_long_as_it_is_fresh(clock: FakeClock) -> None:
    """For every moment of admission within a half, and every later moment at which it would still pass."""
    for offset in range(0, 71, 7):
        clock.now = 1000
        seen = window(clock)
        clock.now = 1000 + offset
        made_at = int(clock.now) + 10
        seen.admit("a", "1", made_at)
        for _ in range(70):
            clock.advance(1)
            # Others come all the while, so that the halves turn.
            seen.admit("b", str(clock.now), int(clock.now))
            with pytest.raises(ValueError, match=r"seen before|too old"):
                seen.admit("a", "1", made_at)


def test_memory_is_given_back(clock: FakeClock) -> None:
    seen = window(clock)
    for number in range(100):
        seen.admit("a", str(number), 1000)
    clock.advance(70)
    seen.admit("a", "x", 1070)
    assert (len(seen._previous), len(seen._current)) == (100, 1)
    clock.advance(700)
    seen.admit("a", "y", 1770)
    assert (len(seen._previous), len(seen._current)) == (0, 1)


def test_one_that_is_full_refuses_and_forgets_nothing(clock: FakeClock) -> None:
    seen = window(clock, max_per_owner=2, max_in_all=3)
    for owner, identity in (("a", "1"), ("a", "2"), ("b", "1")):
        seen.admit(owner, identity, 1000)
    for owner in ("a", "c"):
        with pytest.raises(ValueError, match="too many"):
            seen.admit(owner, "3", 1000)
    with pytest.raises(ValueError, match="seen before"):
        seen.admit("a", "1", 1000)


def test_one_owner_does_not_use_up_the_room_of_all(clock: FakeClock) -> None:
    seen = window(clock, max_per_owner=2)
    for number in range(2):
        seen.admit("a", str(number), 1000)
    with pytest.raises(ValueError, match="too many"):
        seen.admit("a", "2", 1000)
    seen.admit("b", "0", 1000)
    clock.advance(70)
    seen.admit("a", "2", 1070)
    assert seen._counts == {"a": 1}
