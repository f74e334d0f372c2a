"""What a broker sends: a frame with an answer, or refused; what it stands for is bounded, and plain to be shown."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.broker.answers import value_of
from mcp_server.resources.broker.facts import stat_of, status_of
from mcp_server.resources.broker.framed_socket import FramedSocket
from mcp_server.resources.filesystem.names import is_plain

name = "broker"


def _framed(head: bytes) -> bytes:
    return struct.pack("<II", len(head), 0) + head


corpus = (
    _framed(b'{"id":1,"value":null}'),
    _framed(b'{"id":1,"value":["file",5,1.0,2.0,3.0,420,1]}'),
    _framed(b'{"id":1,"value":[13,[33188,1,2,1,0,0,5,1,2,3]]}'),
    _framed(b'{"id":1,"refusal":["sandbox","escape","it leads out"]}'),
    _framed(b'{"id":1,"refusal":["limit","max_depth","it is deep"]}'),
    _framed(b'{"id":1,"errno":13}'),
    _framed(b'{"id":1,"bug":"KeyError"}'),
    b'{"id":1,"value":["directory",5,1.0,2.0,3.0,493,1]}',
    b'{"id":1,"refusal":["resource","missing","a\\nb\\u202e"]}',
)


def run(data: bytes) -> None:
    """Receive the bytes as they are, and once more as the head of a frame."""
    for sent in (data, _framed(data)):
        ours, theirs = socket.socketpair()
        lane = FramedSocket(ours)
        try:
            # What does not fit between two ends waits for nobody.
            theirs.send(sent[:100_000], socket.MSG_DONTWAIT)
            theirs.close()
            with suppress(EOFError, ValueError):
                _look_at(lane)
        finally:
            lane.close()


def _look_at(lane: FramedSocket) -> None:
    frame = lane.receive()
    assert frame.descriptors == ()
    assert frame.body == b""
    refusal: Exception | None = None
    value = None
    try:
        value = value_of(frame, number=1)
    except (MCPServerError, RuntimeError, OSError) as error:
        refusal = error
    if isinstance(refusal, OSError):
        assert refusal.errno in range(1, 4096)
    elif refusal is not None:
        assert is_plain(str(refusal))
        assert len(str(refusal)) <= 50_000
    with suppress(ValueError):
        found = stat_of(value)
        assert 0 <= found.size < 2**64
        assert found.modified == found.modified
    if isinstance(value, list) and len(value) == 2:
        with suppress(ValueError):
            assert 0 <= status_of(value[1]).st_size < 2**64
