"""Progress only grows, and does not flood."""

from __future__ import annotations

import math

import pytest

from mcp_server.protocol.sessions.progress_meter import BURST, ProgressMeter


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> ProgressMeter:
    return ProgressMeter(token="t", clock=clock)


def test_report_is_passed_on(meter: ProgressMeter) -> None:
    assert meter.report(1, None, None) == {"progressToken": "t", "progress": 1}
    assert meter.report(2.5, 4, "half") == {"progressToken": "t", "progress": 2.5, "total": 4, "message": "half"}


@pytest.mark.parametrize("value", [1, 0, -1, 0.999, math.nan, math.inf, -math.inf])
def test_what_does_not_grow_is_dropped(meter: ProgressMeter, value: float) -> None:
    assert meter.report(1, None, None)
    assert meter.report(value, None, None) is None


@pytest.mark.parametrize("total", [math.nan, math.inf])
def test_total_that_is_no_number_is_dropped(meter: ProgressMeter, total: float) -> None:
    assert meter.report(1, total, None) is None


def test_flood_is_dropped_but_not_the_last(meter: ProgressMeter, clock: Clock) -> None:
    sent = [number for number in range(1, 1001) if meter.report(number, 1000, None)]
    assert sent == [*range(1, BURST + 1), 1000]


def test_budget_comes_back(meter: ProgressMeter, clock: Clock) -> None:
    for number in range(BURST):
        assert meter.report(number, None, None)
    assert meter.report(1_000, None, None) is None
    clock.now += 0.5
    assert sum(meter.report(2_000 + number, None, None) is not None for number in range(50)) == 10


def test_sign_of_life_grows_by_the_least_step(meter: ProgressMeter) -> None:
    first = meter.heartbeat(5.0)
    assert first == {"progressToken": "t", "progress": 0.0, "message": "still running after 5 s"}
    assert meter.report(7, 9, None)
    second, third = meter.heartbeat(20.0), meter.heartbeat(35.0)
    assert second is not None
    assert third is not None
    assert 7 < second["progress"] < third["progress"] < 7.0001
    assert third["total"] == 9
    assert meter.report(8, 9, None)
