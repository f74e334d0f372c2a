"""Bytes of a stream to lines, with a bound on both."""

from __future__ import annotations

from typing import Final

from mcp_server.protocol.jsonrpc.message_limits import KIBIBYTES, MEBIBYTES
from mcp_server.protocol.jsonrpc.refused_frame import RefusedFrame

HEAD_BYTES: Final = 4 * KIBIBYTES
"""How much of an over-long line is kept, to find its id in."""


class LineFramer:
    r"""Split a byte stream into newline-terminated frames.

    Knows nothing of JSON: a frame is any run of bytes without a newline. A carriage return before the newline is
    dropped, for Windows pipes write it; empty lines are ignored. A line that grows past the limit is reported once, as
    a `RefusedFrame`, and skipped up to its newline without being kept; the lines after it are read as ever. However the
    stream is cut into chunks, the frames are the same.

    Args:
        max_frame_bytes: Longest frame accepted, line end excluded, in bytes.

    Source: MCP 2025-11-25, basic/transports, "stdio".

    >>> framer = LineFramer(max_frame_bytes=8)
    >>> framer.feed(b"ab\r\n\ncd")
    [b'ab']
    >>> framer.feed(b"ef\n0123456789\ngh\n")
    [b'cdef', RefusedFrame(max_frame_bytes=8), b'gh']
    """

    __slots__ = ("_chunks", "_max_frame_bytes", "_size", "_skipping")

    def __init__(self, *, max_frame_bytes: int = 4 * MEBIBYTES) -> None:
        if max_frame_bytes < 1:
            raise ValueError("max_frame_bytes must be positive")
        self._max_frame_bytes = max_frame_bytes
        self._chunks: list[bytes] = []
        """The pieces of a line whose newline has not come yet: joined once, so that a large line is copied once."""
        self._size = 0
        self._skipping = False

    @property
    def buffered_bytes(self) -> int:
        """How much of an unfinished line is held, in bytes."""
        return self._size

    def feed(self, data: bytes) -> list[bytes | RefusedFrame]:
        """Take what was read and return the frames it completed, oldest first.

        Args:
            data: Any piece of the stream; it may be empty.
        """
        if data.find(b"\n") == len(data) - 1 and not self._chunks and not self._skipping:
            # One whole line, as a client sends that waits for each answer; or nothing at all.
            end = -2 if data[-2:-1] == b"\r" else -1
            line = data[:end]
            return [] if not line else [line if len(line) <= self._max_frame_bytes else self._bounded(line)]
        lines: list[bytes] = []
        tail = data
        if data.find(b"\n") >= 0:
            # Looking first is quick, and most pieces of a large message hold no line end.
            lines = data.split(b"\n")
            tail = lines.pop()
        frames: list[bytes | RefusedFrame] = []
        if lines:
            if self._skipping:
                self._skipping = False
                del lines[0]
            elif self._chunks:
                self._chunks.append(lines[0])
                lines[0] = b"".join(self._chunks)
                self._chunks.clear()
                self._size = 0
            if data.find(b"\r") >= 0 or (lines and lines[0][-1:] == b"\r"):
                lines = [line[:-1] if line[-1:] == b"\r" else line for line in lines]
            if len(data) <= self._max_frame_bytes and (not lines or len(lines[0]) <= self._max_frame_bytes):
                # Only the first line can hold more than this chunk: the rest needs no measuring one by one.
                frames.extend(filter(None, lines))
            else:
                frames.extend(self._bounded(line) for line in lines if line)
        if tail and not self._skipping:
            refused = self._keep(tail)
            if refused is not None:
                frames.append(refused)
        return frames

    def finish(self) -> list[bytes | RefusedFrame]:
        """Return the last line when the stream ended without a newline, and start afresh.

        What was cut off in the middle does not parse and is refused by the codec; what is whole is answered, as when
        somebody pipes one message in by `printf`.
        """
        line = b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        self._skipping = False
        line = line[:-1] if line[-1:] == b"\r" else line
        return [self._bounded(line)] if line else []

    def _bounded(self, line: bytes) -> bytes | RefusedFrame:
        if len(line) <= self._max_frame_bytes:
            return line
        return RefusedFrame(line[:HEAD_BYTES], self._max_frame_bytes)

    def _keep(self, tail: bytes) -> RefusedFrame | None:
        """Hold the beginning of an unfinished line, unless it is too long already."""
        self._chunks.append(tail)
        self._size += len(tail)
        # One byte over is still possible when it is the carriage return of a line end whose newline is yet to come.
        excess = self._size - self._max_frame_bytes
        if excess <= 0 or (excess == 1 and tail[-1:] == b"\r"):
            return None
        head = b"".join(self._chunks[: HEAD_BYTES + 1])[:HEAD_BYTES]
        self._chunks.clear()
        self._size = 0
        self._skipping = True
        return RefusedFrame(head, self._max_frame_bytes)
