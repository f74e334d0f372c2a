"""When a broker is given up, when another is started, and what whoever asked is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, cast

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.broker.broker_host import MAX_LINGERING, MAX_STARTS, STARTS_SECONDS, BrokerHost
from mcp_server.resources.broker.frame import Frame
from mcp_server.resources.broker.running_broker import RunningBroker


class Double:
    """A broker that does what it was told for each question, in their order; then it answers `True`."""

    def __init__(self, *plan: object, stands: object = None) -> None:
        self.plan = list(plan)
        self.stands = stands
        self.pid = 77
        self.has_stood = False
        self.lingers = False
        self.asked = 0
        self.ends = 0
        self.closes = 0

    def stand(self) -> None:
        if isinstance(self.stands, BaseException):
            raise self.stands
        self.has_stood = True

    def ask(self, head: Any, *, body: bytes = b"", descriptor: int = -1) -> tuple[Frame, int]:
        self.asked += 1
        step = self.plan.pop(0) if self.plan else True
        if isinstance(step, BaseException):
            raise step
        if isinstance(step, Frame):
            return step, self.asked
        return Frame({"id": self.asked, "value": step}), self.asked

    def end(self) -> bool:
        self.ends += 1
        return self.ends == 1

    def close(self) -> None:
        self.closes += 1


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def host_of(*brokers: Double, clock: Callable[[], float] | None = None) -> tuple[BrokerHost, list[str]]:
    waiting = list(brokers)
    ends: list[str] = []
    return BrokerHost(
        start=lambda: cast("RunningBroker", waiting.pop(0)), on_end=ends.append, clock=clock or Clock()
    ), ends


def test_one_broker_answers_everything() -> None:
    broker = Double(1, 2)
    host, ends = host_of(broker)
    assert host.pid is None
    host.warm_up()
    assert [host.ask({}), host.ask({}), host.ask({})] == [1, 2, True]
    assert (host.pid, ends, broker.ends) == (77, [], 0)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (EOFError(), "died"),
        (OSError(5, "io"), "died"),
        (TimeoutError(), "late"),
        (ValueError("no frame"), "garbled"),
        (Frame({"id": 99, "value": 1}), "garbled"),
        (Frame({"id": 1, "value": 1}, b"", ()), None),
    ],
)
def test_a_question_it_may_have_begun_with_is_not_asked_again(failure: object, reason: str | None) -> None:
    first, second = Double(failure), Double("second")
    host, ends = host_of(first, second)
    if reason is None:
        assert host.ask({}) == 1
        return
    with pytest.raises(ResourceUnavailableError) as caught:
        host.ask({})
    assert (caught.value.reason, ends, first.ends, second.asked) == ("io", [reason], 1, 0)
    assert host.ask({}) == "second"


@pytest.mark.parametrize(("gone", "ends"), [(BrokenPipeError(), ["died"]), (ConnectionAbortedError(), [])])
def test_a_question_it_cannot_have_begun_with_is_asked_of_the_next(gone: ConnectionError, ends: list[str]) -> None:
    first = Double(gone)
    host, told = host_of(first, Double("second"))
    assert host.ask({}) == "second"
    # One that somebody else is ending is told of by him.
    assert (told, first.ends) == (ends, len(ends))


def test_two_in_a_row_that_have_gone_are_enough() -> None:
    host, ends = host_of(Double(BrokenPipeError()), Double(BrokenPipeError()), Double("third"))
    with pytest.raises(ResourceUnavailableError):
        host.ask({})
    assert ends == ["died", "died"]
    assert host.ask({}) == "third"


@pytest.mark.parametrize(
    "failure", [ResourceUnavailableError("io", "/srv/secret is another one"), RuntimeError("KeyError"), EOFError()]
)
def test_one_that_cannot_stand_is_given_up_and_its_words_stay_here(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    host, ends = host_of(Double(stands=failure), Double("second"))
    with pytest.raises(ResourceUnavailableError) as caught:
        host.ask({})
    assert ends == ["died"]
    assert "secret" not in str(caught.value)
    assert isinstance(failure, EOFError) or str(failure) in caplog.text
    assert host.ask({}) == "second"


def test_a_refusal_is_passed_on_and_nothing_is_given_up() -> None:
    broker = Double(Frame({"id": 1, "refusal": ["resource", "missing", "it is not there"]}), "next")
    host, ends = host_of(broker)
    with pytest.raises(ResourceUnavailableError, match="it is not there"):
        host.ask({})
    assert (host.ask({}), ends) == ("next", [])


def test_what_is_handed_over_is_returned_or_closed() -> None:
    good, bad, refused = (os.open("/", os.O_RDONLY) for _ in range(3))
    host, _ = host_of(
        Double(
            Frame({"id": 1, "value": None}, b"", (good,)),
            Frame({"id": 2, "errno": 2}),
            Frame({"id": 3, "value": None}, b"", (bad,)),
        ),
        Double(Frame({"id": 1, "refusal": ["resource", "missing", "x"]}, b"", (refused,))),
    )
    assert host.ask_to_open({}) == (None, good)
    with pytest.raises(FileNotFoundError):
        host.ask_to_open({})
    for number, ask in ((bad, host.ask), (refused, host.ask_to_open)):
        with pytest.raises(ResourceUnavailableError):
            ask({})
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(number)
    os.close(good)


def test_starts_are_bounded_and_counted_for_a_while() -> None:
    clock = Clock()
    brokers = [Double(EOFError()) for _ in range(MAX_STARTS)]
    host, ends = host_of(*brokers, Double("later"), clock=clock)
    for _ in range(MAX_STARTS):
        clock.now += 1.0
        with pytest.raises(ResourceUnavailableError) as caught:
            host.ask({})
        assert caught.value.reason == "io"
    for _ in range(3):
        with pytest.raises(ResourceUnavailableError) as caught:
            host.ask({})
        assert caught.value.reason == "busy"
    assert len(ends) == MAX_STARTS
    clock.now = 101.0 + STARTS_SECONDS
    assert host.ask({}) == "later"


def test_others_do_not_join_those_that_cannot_end() -> None:
    clock = Clock()
    brokers = [Double(TimeoutError()) for _ in range(MAX_LINGERING)]
    for each in brokers:
        # As on a file server that does not answer: killed, and still there.
        each.lingers = True
    host, ends = host_of(*brokers, Double("later"), clock=clock)
    for _ in range(MAX_LINGERING):
        clock.now += STARTS_SECONDS
        with pytest.raises(ResourceUnavailableError):
            host.ask({})
    clock.now += 10 * STARTS_SECONDS
    with pytest.raises(ResourceUnavailableError) as caught:
        host.ask({})
    assert (caught.value.reason, ends) == ("busy", ["late"] * MAX_LINGERING)
    brokers[1].lingers = False
    assert host.ask({}) == "later"


def test_closing_is_no_news_and_ends_the_asking() -> None:
    broker = Double(EOFError())
    host, ends = host_of(broker, Double())
    host.warm_up()
    host.close()
    host.close()
    assert broker.closes == 1
    with pytest.raises(ResourceUnavailableError) as caught:
        host.ask({})
    assert (caught.value.reason, ends, host.pid) == ("io", [], None)


def test_an_end_that_comes_with_the_closing_is_not_told() -> None:
    ends: list[str] = []

    class Closed(Double):
        def ask(self, head: Any, *, body: bytes = b"", descriptor: int = -1) -> tuple[Frame, int]:
            host.close()
            raise EOFError

    host = BrokerHost(start=lambda: cast("RunningBroker", Closed()), on_end=ends.append)
    with pytest.raises(ResourceUnavailableError):
        host.ask({})
    assert ends == []


def test_what_cannot_be_is_distrusted() -> None:
    broker = Double()
    host, ends = host_of(broker, Double("second"))
    host.warm_up()
    error = ValueError("a size below zero")
    told = host.distrust(error)
    assert (told.__cause__, ends, broker.ends) == (error, ["garbled"], 1)
    assert host.ask({}) == "second"
    host.close()
    assert host.distrust(error).reason == "io"
