"""The server's end of one process: lanes, their number, and the end."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.broker.running_broker import RunningBroker
from mcp_server.resources.isolation.launcher import Launcher

Make = Callable[..., RunningBroker]

# Stands, and answers each question with its own number; `hold` on the first lane that asks for it is never answered.
ECHO = """
import json, os, socket, struct, sys, threading
def serve(lane):
    while True:
        data = lane.recv(8, socket.MSG_WAITALL)
        if not data:
            os._exit(0)
        head, body = struct.unpack("<II", data)
        question = json.loads(lane.recv(head + body, socket.MSG_WAITALL)[:head])
        if question["do"] == "hold":
            continue
        if question["do"] == "die":
            os._exit(1)
        value = True if question["do"] == "stand" else question["id"]
        text = json.dumps({"id": question["id"], "value": value}).encode()
        lane.sendall(struct.pack("<II", len(text), 0) + text)
lanes = [socket.socket(fileno=int(each)) for each in sys.argv[2:]]
for lane in lanes[1:]:
    threading.Thread(target=serve, args=(lane,), daemon=True).start()
serve(lanes[0])
"""


@pytest.fixture
def launcher() -> Iterator[Launcher]:
    launcher = Launcher()
    yield launcher
    launcher.close()


@pytest.fixture
def make(launcher: Launcher) -> Iterator[Make]:
    made: list[RunningBroker] = []

    def maker(program: str = ECHO, **options: Any) -> RunningBroker:
        command = [os.path.realpath("/proc/self/exe"), "-I", "-S", "-c", program]
        broker = RunningBroker(launcher=launcher, command=command, job={}, **options)
        made.append(broker)
        return broker

    yield maker
    for broker in made:
        broker.end()


def standing(broker: RunningBroker) -> RunningBroker:
    broker.stand()
    return broker


def test_questions_are_numbered_and_answered(make: Make) -> None:
    broker = make()
    assert not broker.has_stood
    standing(broker)
    standing(broker)
    for expected in (1, 2, 3):
        frame, number = broker.ask({"do": "x"}, body=b"data")
        assert (dict(frame.head), number) == ({"id": expected, "value": expected}, expected)
    assert broker.has_stood
    assert broker.pid is not None


def test_several_stand_at_once_and_are_told_once(make: Make) -> None:
    broker = make()
    threads = [threading.Thread(target=broker.stand) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert broker.ask({"do": "x"})[1] == 1


def test_lanes_are_as_many_as_were_said_and_no_more(make: Make) -> None:
    broker = standing(make(lanes=2, operation_seconds=0.3))
    caught: list[Exception] = []

    def hold() -> None:
        with pytest.raises((TimeoutError, ResourceUnavailableError, ConnectionAbortedError)) as found:
            broker.ask({"do": "hold"})
        caught.append(found.value)

    threads = [threading.Thread(target=hold) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    # The third waited for a lane as long as an answer may take, or got one of a broker that was given up by then.
    assert sum(isinstance(each, TimeoutError) for each in caught) == 2
    assert len(caught) == 3


def test_a_lane_that_was_not_answered_is_not_used_again(make: Make) -> None:
    broker = standing(make(operation_seconds=0.2))
    with pytest.raises(TimeoutError):
        broker.ask({"do": "hold"})
    with pytest.raises(ConnectionAbortedError):
        broker.ask({"do": "x"})
    assert broker.end() is True
    assert broker.end() is False


def test_one_that_dies_is_told_of(make: Make) -> None:
    broker = standing(make())
    with pytest.raises(EOFError):
        broker.ask({"do": "die"})


def test_closing_an_idle_one_ends_it_and_leaves_nothing(make: Make) -> None:
    before = len(os.listdir("/proc/self/fd"))
    broker = standing(make())
    pid = broker.pid
    broker.close()
    broker.close()
    assert broker.pid is None
    assert not Path(f"/proc/{pid}").exists()
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(ConnectionAbortedError):
        broker.ask({"do": "x"})


def test_closing_a_busy_one_ends_it_with_its_last_answer(make: Make) -> None:
    broker = standing(make(operation_seconds=0.5))
    asked = threading.Event()

    def hold() -> None:
        asked.set()
        with pytest.raises((TimeoutError, ConnectionAbortedError)):
            broker.ask({"do": "hold"})

    thread = threading.Thread(target=hold)
    thread.start()
    asked.wait()
    broker.close()
    thread.join(20)
    broker.close()
    assert broker.pid is None


def test_ending_wakes_whoever_waits(make: Make) -> None:
    broker = standing(make())
    woken: list[BaseException] = []

    def hold() -> None:
        with pytest.raises((EOFError, ConnectionError)) as found:
            broker.ask({"do": "hold"})
        woken.append(found.value)

    thread = threading.Thread(target=hold)
    thread.start()
    broker.end()
    thread.join(20)
    assert len(woken) == 1


def test_ending_one_that_has_only_just_been_started(make: Make) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        make().end()
    assert len(os.listdir("/proc/self/fd")) == before


def test_one_that_cannot_be_started_is_told_of(launcher: Launcher) -> None:
    before = len(os.listdir("/proc/self/fd"))
    broker = RunningBroker(launcher=launcher, command=["/nonexistent/program"], job={})
    with pytest.raises(EOFError, match="could not be started"):
        broker.stand()
    assert broker.pid is None
    assert broker.end() is True
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("import os; os._exit(0)", EOFError),
        (ECHO.replace("value = True if", "value = False if"), ValueError),
        (ECHO.replace('{"id": question["id"]', '{"id": 9'), ValueError),
        (ECHO.replace('"value": value', '"refusal": ["resource", "io", "why"]'), ResourceUnavailableError),
        ("import threading; threading.Event().wait()", TimeoutError),
    ],
)
def test_one_that_does_not_stand_is_told_of(make: Make, program: str, error: type[Exception]) -> None:
    broker = make(program, start_seconds=0.5 if error is TimeoutError else 20.0)
    with pytest.raises((error, ConnectionError)):
        broker.stand()
    assert not broker.has_stood


def test_one_that_does_not_end_in_time_lingers_and_is_waited_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = standing(make())
    assert not broker.lingers
    waited = threading.Event()
    real = subprocess.Popen.wait

    def wait(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if timeout is not None:
            raise subprocess.TimeoutExpired("broker", timeout)
        waited.wait(10)
        return real(process)

    monkeypatch.setattr(subprocess.Popen, "wait", wait)
    assert broker.end() is True
    assert broker.lingers
    (thread,) = (each for each in threading.enumerate() if each.name == "mcp-server-broker-end")
    waited.set()
    thread.join(10)
    assert not broker.lingers


def test_a_launcher_that_is_closed_starts_none_and_nothing_stays_open(launcher: Launcher) -> None:
    launcher.close()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ResourceUnavailableError):
        RunningBroker(launcher=launcher, command=["/bin/true"], job={})
    assert len(os.listdir("/proc/self/fd")) == before
