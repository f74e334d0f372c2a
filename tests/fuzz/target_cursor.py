"""Cursors: nothing is taken for a cursor but what was issued."""

from __future__ import annotations

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.cursor_codec import CursorCodec

name = "cursor"

CODEC = CursorCodec(b"not a secret, for these are tests")
ISSUED = {CODEC.encode(position, method="tools/list", fingerprint="1"): position for position in (0, 1, 50, 2**40)}
corpus = tuple(cursor.encode() for cursor in ISSUED)


def run(data: bytes) -> None:
    """Present the input as a cursor, in two readings."""
    for text in (data.decode("latin-1"), data.decode("utf-8", "surrogateescape")):
        try:
            position = CODEC.decode(text, method="tools/list", fingerprint="1")
        except ProtocolError as error:
            position, code = None, error.code
        else:
            code = None
        assert position == ISSUED.get(text)
        assert code == (None if text in ISSUED else -32602)
