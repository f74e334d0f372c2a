from __future__ import annotations

import pytest

from mcp_server.security.authentication.forward_clock import ForwardClock
from tests.security.chain.fake_clock import FakeClock


@pytest.fixture
def wall() -> FakeClock:
    return FakeClock(10_000)


@pytest.fixture
def steady() -> FakeClock:
    return FakeClock(5)


def test_it_is_the_walls_time_while_both_agree(wall: FakeClock, steady: FakeClock) -> None:
    clock = ForwardClock(wall=wall, steady=steady)
    for _ in range(3):
        wall.advance(7)
        steady.advance(7)
        assert clock() == wall.now


def test_a_wall_that_is_set_back_is_not_believed_until_it_has_caught_up(wall: FakeClock, steady: FakeClock) -> None:
    clock = ForwardClock(wall=wall, steady=steady)
    wall.advance(-3600)
    steady.advance(10)
    assert clock() == 10_010
    wall.advance(3600 + 5)
    assert clock() == 10_010
    wall.advance(10)
    assert clock() == 10_015


def test_a_wall_that_is_set_forward_is_believed_and_not_taken_back(wall: FakeClock, steady: FakeClock) -> None:
    clock = ForwardClock(wall=wall, steady=steady)
    wall.advance(100)
    assert clock() == 10_100
    wall.advance(-100)
    steady.advance(1)
    assert clock() == 10_101


def test_the_machines_own_clocks_count() -> None:
    clock = ForwardClock()
    first = clock()
    assert clock() >= first > 1_700_000_000
