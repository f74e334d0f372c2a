"""Cursors come back as they were given, or not at all."""

from __future__ import annotations

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.cursor_codec import CursorCodec

KEY = b"k" * 32
CODEC = CursorCodec(KEY)
CURSOR = CODEC.encode(50, method="tools/list", fingerprint="1")


def refused(cursor: object, *, codec: CursorCodec = CODEC, method: str = "tools/list", fingerprint: str = "1") -> bool:
    try:
        codec.decode(cursor, method=method, fingerprint=fingerprint)
    except ProtocolError as error:
        return error.code == -32602
    return False


@pytest.mark.parametrize("position", [0, 1, 2**63 - 1])
def test_a_cursor_comes_back(position: int) -> None:
    cursor = CODEC.encode(position, method="m", fingerprint="f")
    assert CODEC.decode(cursor, method="m", fingerprint="f") == position


def test_a_cursor_is_bound_to_its_list_its_state_and_its_server() -> None:
    assert not refused(CURSOR)
    assert refused(CURSOR, method="prompts/list")
    assert refused(CURSOR, fingerprint="2")
    assert refused(CURSOR, codec=CursorCodec(b"l" * 32))


def test_what_it_is_bound_to_cannot_be_shifted() -> None:
    cursor = CODEC.encode(1, method="ab", fingerprint="c")
    assert refused(cursor, method="a", fingerprint="bc")


def test_every_changed_character_is_noticed() -> None:
    alphabet = "AB_-9"
    for index in range(len(CURSOR)):
        for character in alphabet:
            changed = CURSOR[:index] + character + CURSOR[index + 1 :]
            assert changed == CURSOR or refused(changed)


@pytest.mark.parametrize(
    "cursor",
    ["", None, 0, b"x", [], {}, True, "x", "=", "é", "\ud800", "A" * 10_000, CURSOR + "=", CURSOR + "\n", " " + CURSOR],
)
def test_what_was_not_issued_here_is_refused(cursor: object) -> None:
    assert refused(cursor)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        CursorCodec(b"short")
