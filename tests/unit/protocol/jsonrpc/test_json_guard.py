"""What is read out of a text without parsing it."""

from __future__ import annotations

import json

import pytest

from mcp_server.protocol.jsonrpc.json_guard import RECOVERY_BYTES, SCAN_BYTES, outside_strings, recover_id
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits

LIMITS = MessageLimits()


@pytest.mark.parametrize(
    ("text", "outside"),
    [
        (b'{"a":"b"}', b"{:}"),
        (rb'["\"[", "\\", "\\\"{"]', b"[, , ]"),
        (rb'["\\\\"]', b"[]"),
        (b'["open', b"["),
        (b"", b""),
    ],
)
def test_strings_are_taken_out(text: bytes, outside: bytes) -> None:
    assert outside_strings(text) == outside


def test_strings_are_taken_out_across_pieces() -> None:
    value = [{"k" * length: '"\\' * length + "[{:,"} for length in range(1, 700)]
    text = json.dumps(value).encode()
    assert len(text) > 3 * SCAN_BYTES
    assert outside_strings(text).replace(b" ", b"") == b"[" + b",".join([b"{:}"] * 699) + b"]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"id":1,', 1),
        (b'{"id": -1 ,"x', -1),
        (b'{ "jsonrpc" : "2.0" , "id" : "a\\u0062" , ', "ab"),
        (b'{"method":"m","params":{"id":2},"id":3}', 3),
        (b'{"params":{"id":2}}', None),
        (b'{"params":["id",2],"x":[{"id":4}]', None),
        (b'{"a":"\\"id\\":5,"}', None),
        (b'{"id":1,"id":2}', None),
        (b'{"id":1', None),
        (b'{"id":"a', None),
        (b'{"id":"a"', None),
        (b'{"id":null,', None),
        (b'{"id":1.5,', None),
        (b'{"id":1e2,', None),
        (b'{"id":01,', None),
        (b'{"id":true,', None),
        (b'{"id":{"id":1}}', None),
        (b'{"id":"\\ud800",', None),
        (b'{"id":' + b"9" * 19 + b",", None),
        (b'{"id":' + b"9" * 40 + b",", None),
        (b'{"id":"' + b"x" * 257 + b'",', None),
        (b'{"id":"' + b"x" * 256 + b'",', "x" * 256),
        (b'[{"id":1}]', None),
        (b'}{"id":1}', None),
        (b'{}{"id":1}', None),
        (b'"id":1', None),
        (b"", None),
        (b'{"a":"' + b"x" * RECOVERY_BYTES + b'","id":1}', None),
    ],
)
def test_an_id_is_found_only_without_doubt(text: bytes, expected: str | int | None) -> None:
    assert recover_id(text, LIMITS) == expected


@pytest.mark.parametrize("text", [b'\\"' * 4096, b'"' * 8192, b"{" * 8192, b'{"id":' * 1000, b'{"' + b"\\" * 8000])
def test_hostile_texts_hold_no_id(text: bytes) -> None:
    assert recover_id(text, LIMITS) is None
