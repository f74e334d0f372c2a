"""The process itself, from its start to its end, spoken with by hand."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.broker.broker_factory import MAIN, BrokerFactory
from mcp_server.resources.broker.framed_socket import FramedSocket
from mcp_server.resources.filesystem.file_limits import FileLimits

Start = Callable[..., tuple["subprocess.Popen[bytes]", list[FramedSocket]]]
REPOSITORY = Path(__file__).parents[4]
CONFINED = pytest.mark.parametrize((), [()] if BrokerFactory.problem() is None else [])


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[tuple[subprocess.Popen[bytes], list[FramedSocket]]] = []

    def starter(server: int | None = None, lanes: int = 2) -> tuple[subprocess.Popen[bytes], list[FramedSocket]]:
        pairs = [socket.socketpair() for _ in range(lanes)]
        theirs = [each.fileno() for _, each in pairs]
        program = f"import sys; sys.path.append({str(REPOSITORY)!r})\n{MAIN}"
        numbers = [os.getpid() if server is None else server, *theirs]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", program, *map(str, numbers)], pass_fds=theirs, env={}
        )
        for _, each in pairs:
            each.close()
        ours = [FramedSocket(each) for each, _ in pairs]
        started.append((process, ours))
        return process, ours

    yield starter
    for process, lanes in started:
        for lane in lanes:
            lane.close()
        process.kill()
        process.wait()


def job(folder: Path, **changed: Any) -> bytes:
    status = os.stat(folder)
    root = {"path": str(folder), "name": "W", "sync": "none", "device": status.st_dev, "inode": status.st_ino}
    return json.dumps({"limits": asdict(FileLimits()), "protected": [".env"], "roots": [{**root, **changed}]}).encode()


def answer(lane: FramedSocket, head: dict[str, Any], body: bytes = b"") -> Any:
    lane.send(head, body=body)
    frame = lane.receive()
    frame.close()
    return frame.head


@CONFINED
def test_it_stands_and_answers_on_every_lane(start: Start, folder: Path) -> None:
    _, lanes = start()
    assert answer(lanes[0], {"id": 0, "do": "stand"}, job(folder)) == {"id": 0, "value": True}
    for number, lane in enumerate(lanes):
        question = {"id": number, "do": "stat", "at": [0, ["note.txt"]]}
        assert answer(lane, question)["value"][:2] == ["file", 5]
    # The names that it was told are protected are.
    write = {"id": 1, "do": "write", "at": [0, [".env"]], "create_only": False, "if_match": None}
    assert answer(lanes[1], write)["refusal"][:2] == ["sandbox", "protected"]


@CONFINED
def test_lanes_end_one_by_one_and_with_the_last_the_process(start: Start, folder: Path) -> None:
    process, lanes = start()
    answer(lanes[0], {"id": 0, "do": "stand"}, job(folder))
    lanes[0].close()
    assert answer(lanes[1], {"id": 1, "do": "sweep", "root": 0}) == {"id": 1, "value": 0}
    assert process.poll() is None
    lanes[1].close()
    assert process.wait(10) == 0


@pytest.mark.parametrize(
    "changed",
    [{"inode": 1}, {"device": 1}, {"path": "/nonexistent/folder"}, {"path": "/proc"}, {"sync": "never"}, {"more": 1}],
)
def test_it_says_why_it_cannot_stand_and_ends(start: Start, folder: Path, changed: dict[str, Any]) -> None:
    process, lanes = start()
    head = answer(lanes[0], {"id": 0, "do": "stand"}, job(folder, **changed))
    assert head["refusal"][:2] == ["resource", "io"]
    assert process.wait(10) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff"])
def test_a_job_that_is_none_is_refused(start: Start, body: bytes) -> None:
    process, lanes = start()
    assert answer(lanes[0], {"id": 0, "do": "stand"}, body)["refusal"][0] == "resource"
    assert process.wait(10) == 1


def test_it_does_not_stand_for_whoever_did_not_start_it(start: Start) -> None:
    process, _ = start(server=1)
    assert process.wait(10) == 0


def test_it_ends_when_nobody_tells_it_anything(start: Start) -> None:
    process, lanes = start()
    for lane in lanes:
        lane.close()
    assert process.wait(10) == 0
