"""A cursor comes back to where it was given out, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.cursor_codec import CursorCodec

CODEC = CursorCodec(b"k" * 32)
PLACES = st.tuples(st.integers(0, 2**63 - 1), st.text(max_size=10), st.text(max_size=10))


@given(PLACES, PLACES)
def test_a_cursor_is_good_for_one_place(place: tuple[int, str, str], other: tuple[int, str, str]) -> None:
    cursor = CODEC.encode(place[0], method=place[1], fingerprint=place[2])
    assert CODEC.decode(cursor, method=place[1], fingerprint=place[2]) == place[0]
    if place[1:] != other[1:]:
        with pytest.raises(ProtocolError):
            CODEC.decode(cursor, method=other[1], fingerprint=other[2])


@given(st.text(max_size=60) | st.binary() | st.integers() | st.none())
def test_nothing_made_up_is_good(cursor: object) -> None:
    with pytest.raises(ProtocolError):
        CODEC.decode(cursor, method="tools/list", fingerprint="1")
