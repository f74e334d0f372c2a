"""The codec: any frame gives a message or a refusal, and what it lets through is what another parser reads."""

from __future__ import annotations

import json
from typing import Any

from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.protocol.jsonrpc.notification import Notification
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.response import Response

name = "codec"

CODEC = JSONRPCCodec(limits=MessageLimits(max_members=5000, max_depth=64))


class RepeatedNameError(Exception):
    """The second parser found a name twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RepeatedNameError
    return members


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level := [part for part in level if isinstance(part, dict | list)]:
        deepest += 1
        level = [child for part in level for child in (part.values() if isinstance(part, dict) else part)]
    return deepest


def run(data: bytes) -> None:
    """Decode, and compare with the standard library."""
    message = CODEC.decode(data)
    if isinstance(message, InvalidMessage):
        answer = json.loads(CODEC.refusal(message))
        assert answer["id"] == message.id
        if "twice" in message.message:
            try:
                json.loads(data, object_pairs_hook=_pairs)
            except RepeatedNameError:
                return
            raise AssertionError("refused for a repeated name that is not there")
        return
    value = json.loads(data, object_pairs_hook=_pairs)
    assert _depth(value) <= 64
    assert json.dumps(value, allow_nan=False), "raises when a number is none"
    if isinstance(message, list):
        assert isinstance(value, list)
        assert len(message) == len(value)
    elif isinstance(message, Response):
        assert message.id == value.get("id")
    else:
        assert isinstance(message, Request | Notification)
        assert message.method == value["method"]
        assert message.params == value.get("params", {})
