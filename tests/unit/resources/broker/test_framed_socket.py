"""Frames over a socket: whole, in pieces, too large, too slow, with descriptors."""

from __future__ import annotations

import array
import os
import socket
import struct
import threading
from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.broker.framed_socket import MAX_HEAD_BYTES, FramedSocket

Pair = tuple[socket.socket, FramedSocket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Our raw end, and the framed one."""
    raw, framed = socket.socketpair()
    other = FramedSocket(framed)
    yield raw, other
    raw.close()
    other.close()


def test_what_is_sent_is_received(pair: Pair) -> None:
    raw, framed = pair
    ours = FramedSocket(raw)
    head = {"do": "write", "at": [0, ["a", "\udcff", "é"]], "none": None}
    ours.send(head, body=b"\0\xffbytes")
    frame = framed.receive(max_body_bytes=7)
    assert (frame.head, frame.body, frame.descriptors) == (head, b"\0\xffbytes", ())


def test_a_large_body_goes_in_pieces(pair: Pair) -> None:
    raw, framed = pair
    body = os.urandom(3_000_000)
    sender = threading.Thread(target=FramedSocket(raw).send, args=({"id": 1},), kwargs={"body": body})
    sender.start()
    assert framed.receive(max_body_bytes=len(body)).body == body
    sender.join()


def test_a_frame_that_comes_byte_by_byte_is_whole(pair: Pair) -> None:
    raw, framed = pair
    data = struct.pack("<II", 8, 3) + b'{"id":1}' + b"abc"

    def trickle() -> None:
        for at in range(len(data)):
            raw.send(data[at : at + 1])

    sender = threading.Thread(target=trickle)
    sender.start()
    frame = framed.receive(max_body_bytes=3)
    sender.join()
    assert (frame.head, frame.body) == ({"id": 1}, b"abc")


def test_a_descriptor_is_handed_over_closed_on_exec(pair: Pair) -> None:
    raw, framed = pair
    given_away = os.open("/", os.O_RDONLY)
    FramedSocket(raw).send({"id": 1}, descriptor=given_away)
    frame = framed.receive()
    (received,) = frame.descriptors
    assert os.path.sameopenfile(received, given_away)
    assert not os.get_inheritable(received)
    frame.close()
    os.close(given_away)


@pytest.mark.parametrize("count", [2, 3, 100])
def test_more_than_one_descriptor_is_seen_or_refused_and_none_is_left(pair: Pair, count: int) -> None:
    raw, framed = pair
    before = len(os.listdir("/proc/self/fd"))
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * count))]
    raw.sendmsg([struct.pack("<II", 2, 0) + b"{}"], rights)
    if count == 2:
        frame = framed.receive()
        assert len(frame.descriptors) == 2
        frame.close()
    else:
        with pytest.raises(ValueError, match="one descriptor"):
            framed.receive()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_descriptor_behind_the_first_bytes_is_not_taken(pair: Pair) -> None:
    raw, framed = pair
    before = len(os.listdir("/proc/self/fd"))
    whole = struct.pack("<II", 5000, 0) + b"{}" + b" " * 4998
    # As much as is received with the first call, and then the rest.
    raw.send(whole[:4096])
    raw.sendmsg([whole[4096:]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
    assert framed.receive().descriptors == ()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (struct.pack("<II", MAX_HEAD_BYTES + 1, 0), "too large"),
        (struct.pack("<II", 2**32 - 1, 0), "too large"),
        (struct.pack("<II", 2, 5) + b"{}", "too large"),
        (struct.pack("<II", 2, 0) + b"{}x", "follows"),
        (struct.pack("<II", 2, 0) + b"[]", "no object"),
        (struct.pack("<II", 2, 0) + b"{,", "no JSON"),
        (struct.pack("<II", 0, 0), "no JSON"),
        (struct.pack("<II", 4000, 0) + b"[" * 4000, "no JSON"),
        (struct.pack("<II", 3, 0) + b"\xff\xfe\xfd", "no JSON"),
    ],
)
def test_what_is_no_frame_is_refused(pair: Pair, data: bytes, what: str) -> None:
    raw, framed = pair
    raw.sendall(data)
    with pytest.raises(ValueError, match=what):
        framed.receive(max_body_bytes=4)


@pytest.mark.parametrize("data", [b"", b"\x02", struct.pack("<II", 2, 0), struct.pack("<II", 2, 0) + b"{"])
def test_the_end_is_told_wherever_it_comes(pair: Pair, data: bytes) -> None:
    raw, framed = pair
    raw.sendall(data)
    raw.close()
    with pytest.raises(EOFError):
        framed.receive()


def test_sending_to_who_has_gone_is_told(pair: Pair) -> None:
    raw, framed = pair
    raw.close()
    with pytest.raises(ConnectionError):
        framed.send({"id": 1})


def test_who_sends_nothing_is_late(pair: Pair) -> None:
    framed = pair[1]
    framed.limit(0.01)
    with pytest.raises(TimeoutError):
        framed.receive()


def test_who_takes_nothing_is_late(pair: Pair) -> None:
    framed = pair[1]
    framed.limit(0.01)
    with pytest.raises(TimeoutError):
        framed.send({"id": 1}, body=b"x" * 10_000_000)


class Trickle:
    """A socket from which one byte comes at a time, for ever."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def setsockopt(self, *arguments: object) -> None:
        return

    def recvmsg(self, *arguments: int) -> tuple[bytes, list[object], int, None]:
        return self.recv(1), [], 0, None

    def recv(self, most: int) -> bytes:
        piece, self.data = self.data[:1] or b" ", self.data[1:]
        return piece

    def recv_into(self, view: memoryview) -> int:
        view[:1] = self.recv(1)
        return 1


def test_who_sends_on_and_on_is_late_by_the_clock() -> None:
    asked: list[float] = []

    def clock() -> float:
        asked.append(1.0)
        return float(len(asked))

    framed = FramedSocket(cast("socket.socket", Trickle(struct.pack("<II", 60_000, 0))), clock=clock)
    framed.limit(20.0)
    with pytest.raises(TimeoutError):
        framed.receive()
    assert len(asked) == 22


def test_shutting_wakes_who_waits_and_may_be_done_twice(pair: Pair) -> None:
    framed = pair[1]
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(EOFError):
            framed.receive()
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    framed.shut()
    thread.join(10)
    assert ended.is_set()
    framed.shut()
    framed.close()
    framed.shut()


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_a_frame_or_be_refused(data: bytes) -> None:
    raw, other = socket.socketpair()
    framed = FramedSocket(other)
    raw.sendall(data)
    raw.close()
    try:
        frame = framed.receive(max_body_bytes=100)
    except (EOFError, ValueError):
        return
    else:
        assert isinstance(frame.head, dict)
    finally:
        framed.close()
