"""The framer: the same frames for every cutting, and never more held than the limit."""

from __future__ import annotations

from mcp_server.protocol.jsonrpc.line_framer import LineFramer
from mcp_server.protocol.jsonrpc.refused_frame import RefusedFrame

name = "framer"

LIMIT = 300


def _frames(data: bytes, size: int) -> list[bytes | None]:
    framer = LineFramer(max_frame_bytes=LIMIT)
    found: list[bytes | RefusedFrame] = []
    for start in range(0, len(data), size):
        found.extend(framer.feed(data[start : start + size]))
        assert framer.buffered_bytes <= LIMIT + 1
    found.extend(framer.finish())
    return [None if isinstance(frame, RefusedFrame) else frame for frame in found]


def run(data: bytes) -> None:
    """Cut in several ways and compare with the plain way of splitting lines."""
    lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    expected = [line if len(line) <= LIMIT else None for line in lines if line]
    for size in (len(data) or 1, 1 + len(data) // 3, 1 + len(data) % 7 + len(data) // 500):
        assert _frames(data, size) == expected, f"cut into {size} bytes"
