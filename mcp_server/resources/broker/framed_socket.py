"""Frames over a stream socket, with their descriptors."""

from __future__ import annotations

import array
import json
import os
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.resources.broker.frame import Frame

MAX_HEAD_BYTES: Final = 64 * 1024
"""Two paths of 4,095 bytes, each byte of them written as an escape of six, and some room for the rest."""

# How long the head and the body are.
_PREFIX: Final = struct.Struct("<II")
_DESCRIPTOR_BYTES: Final = array.array("i").itemsize
# A frame hands over one descriptor at most. There is room for a second one, so that it is seen and not only cut off.
_ANCILLARY_BYTES: Final = socket.CMSG_SPACE(2 * _DESCRIPTOR_BYTES)
# Holds nearly every head, and is taken at every call.
_FIRST_BYTES: Final = 4096
_TIMEVAL: Final = struct.Struct("@ll")
_MICROSECONDS: Final = 1_000_000


class FramedSocket:
    """Sends and receives one frame at a time; whoever sends next has received what came before.

    What is received is taken for an enemy's: its lengths are bounded before anything is kept, its head is JSON and an
    object, descriptors count only with its first bytes, and nothing may follow it. What was handed over is closed on
    every way out but the good one.

    Args:
        connection: One end of a pair of connected stream sockets of `AF_UNIX`; belongs to this object from now on.
        clock: Monotonic seconds.

    >>> ours, theirs = map(FramedSocket, socket.socketpair())
    >>> ours.send({"do": "stat"}, body=b"data")
    >>> theirs.receive(max_body_bytes=4)
    Frame(head={'do': 'stat'}, body=b'data', descriptors=())
    >>> ours.close(), theirs.close()
    (None, None)
    """

    __slots__ = ("_clock", "_seconds", "_socket")

    def __init__(self, connection: socket.socket, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._socket = connection
        self._clock = clock
        self._seconds: float | None = None

    def limit(self, seconds: float) -> None:
        """Let sending and receiving a frame take that long each, in seconds; without it they take what they take."""
        # The kernel's own clock runs for each piece and is asked for by no further call; ours runs for the whole.
        self._seconds = seconds
        whole, rest = divmod(max(1, int(seconds * _MICROSECONDS)), _MICROSECONDS)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, option, _TIMEVAL.pack(whole, rest))

    def send(self, head: Mapping[str, Any], *, body: bytes = b"", descriptor: int = -1) -> None:
        """Send a frame.

        Args:
            head: JSON members.
            body: Bytes.
            descriptor: What is handed over, below zero for nothing; it stays open here.

        Raises:
            ConnectionError: The other side has gone; it cannot have received the whole frame.
            TimeoutError: It does not take what it is sent.
        """
        text = json.dumps(head, separators=(",", ":")).encode("ascii")
        whole = _PREFIX.pack(len(text), len(body)) + text
        ancillary = []
        if descriptor >= 0:
            ancillary.append((socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor])))
        started = self._clock() if self._seconds is not None else 0.0
        try:
            sent = self._socket.sendmsg([whole, body] if body else [whole], ancillary)
            rest = memoryview(b"" if sent == len(whole) + len(body) else whole + body)[sent:]
            while rest:
                self._look_at_the_time(started)
                rest = rest[self._socket.send(rest) :]
        except BlockingIOError as error:
            raise TimeoutError("the other side takes nothing") from error

    def receive(self, *, max_body_bytes: int = 0) -> Frame:
        """Return the next frame.

        Args:
            max_body_bytes: Longest body accepted.

        Raises:
            EOFError: The other side has gone.
            TimeoutError: It does not send, or not fast enough.
            ValueError: What it sent is no frame, or too large.
        """
        started = self._clock() if self._seconds is not None else 0.0
        descriptors: tuple[int, ...] = ()
        try:
            # Most frames come whole, with one call.
            data, ancillary, flags, _ = self._socket.recvmsg(_FIRST_BYTES, _ANCILLARY_BYTES, socket.MSG_CMSG_CLOEXEC)
            descriptors = _handed_over(ancillary)
            if flags & socket.MSG_CTRUNC:
                raise ValueError("a frame hands over one descriptor at most")
            if not data:
                raise EOFError("the other side has gone")
            while len(data) < _PREFIX.size:
                data += self._more(_PREFIX.size - len(data), started)
            head_bytes, body_bytes = _PREFIX.unpack_from(data)
            if head_bytes > MAX_HEAD_BYTES or body_bytes > max_body_bytes:
                raise ValueError(f"a frame of {head_bytes} and {body_bytes} bytes is too large")
            whole = bytearray(_PREFIX.size + head_bytes + body_bytes)
            if len(data) > len(whole):
                raise ValueError("something follows the frame")
            whole[: len(data)] = data
            rest = memoryview(whole)[len(data) :]
            while rest:
                self._look_at_the_time(started)
                received = self._socket.recv_into(rest)
                if not received:
                    raise EOFError("the other side has gone")
                rest = rest[received:]
            rest.release()
            head = _head_of(whole[_PREFIX.size : _PREFIX.size + head_bytes])
            return Frame(head, bytes(whole[_PREFIX.size + head_bytes :]), descriptors)
        except BaseException as error:
            for descriptor in descriptors:
                os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise TimeoutError("the other side sends nothing") from error
            if isinstance(error, ConnectionError):
                raise EOFError("the other side has gone") from error
            raise

    def shut(self) -> None:
        """End both directions, so that whoever waits here or there wakes up; may be called by another thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            # It has gone already.
            return

    def close(self) -> None:
        """Close it; may be called twice."""
        self._socket.close()

    def _more(self, most: int, started: float) -> bytes:
        self._look_at_the_time(started)
        data = self._socket.recv(most)
        if not data:
            raise EOFError("the other side has gone")
        return data

    def _look_at_the_time(self, started: float) -> None:
        if self._seconds is not None and self._clock() - started > self._seconds:
            raise TimeoutError("the other side is too slow")


def _handed_over(ancillary: list[tuple[int, int, bytes]]) -> tuple[int, ...]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % _DESCRIPTOR_BYTES])
    return tuple(found)


def _head_of(text: bytes | bytearray) -> dict[str, Any]:
    try:
        head = json.loads(text)
    except (ValueError, RecursionError) as error:
        # Also nested without end, and numbers without end.
        raise ValueError("the head of a frame is no JSON") from error
    if not isinstance(head, dict):
        raise ValueError("the head of a frame is no object")
    return head
