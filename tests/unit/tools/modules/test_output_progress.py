from __future__ import annotations

from typing import Any

import pytest

from mcp_server.tools.modules.output_progress import LEAST_SECONDS, MAX_PIECE_BYTES, OutputProgress


class Client:
    def __init__(self) -> None:
        self.told: list[tuple[float, float | None, str | None]] = []

    def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        self.told.append((progress, total, message))


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(client: Any, clock: Clock) -> OutputProgress:
    return OutputProgress(client, clock=clock)


def test_the_first_piece_is_told_at_once_with_how_much_there_was(progress: OutputProgress, client: Client) -> None:
    progress.add("stdout", b"hello")
    assert client.told == [(5.0, None, "hello")]


def test_errors_are_named(progress: OutputProgress, client: Client) -> None:
    progress.add("stderr", b"bad")
    assert client.told == [(3.0, None, "stderr: bad")]


def test_pieces_that_come_too_fast_are_told_together(progress: OutputProgress, client: Client, clock: Clock) -> None:
    for _ in range(1000):
        progress.add("stdout", b"x")
    assert len(client.told) == 1
    clock.now += LEAST_SECONDS / 2
    progress.add("stdout", b"y")
    assert len(client.told) == 1
    clock.now += LEAST_SECONDS
    progress.add("stdout", b"z")
    assert client.told[1:] == [(1002.0, None, "x" * 999 + "yz")]


def test_a_piece_is_never_longer_than_its_bound(progress: OutputProgress, client: Client, clock: Clock) -> None:
    progress.add("stdout", b"a" * 10 * MAX_PIECE_BYTES + b"z")
    assert client.told[0][0] == 10 * MAX_PIECE_BYTES + 1
    assert client.told[0][2] == "a" * (MAX_PIECE_BYTES - 1) + "z"
    for _ in range(100):
        progress.add("stdout", b"b" * MAX_PIECE_BYTES)
    assert len(progress._untold) == MAX_PIECE_BYTES
    clock.now += 1
    progress.add("stdout", b"c")
    assert client.told[1][2] == "b" * (MAX_PIECE_BYTES - 1) + "c"


def test_what_is_no_text_is_replaced_and_the_count_only_grows(
    progress: OutputProgress, client: Client, clock: Clock
) -> None:
    for piece in (b"\xff", b"\xc3", b"\xa9", b"\0"):
        progress.add("stdout", piece)
        clock.now += 1
    assert [message for _, _, message in client.told] == ["�", "�", "�", "\0"]
    counts = [count for count, _, _ in client.told]
    assert counts == sorted(set(counts))
