"""What holds for the codec whatever is sent."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.protocol.jsonrpc.notification import Notification
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.response import Response
from tests.property.protocol.strategies import IDS, METHODS, OBJECTS, VALUES

CODEC = JSONRPCCodec()
MESSAGES = (Request, Notification, Response, InvalidMessage)
LAYOUTS: list[dict[str, Any]] = [
    {},
    {"indent": 2},
    {"separators": (" , ", " : ")},
    {"separators": (",", ":"), "ensure_ascii": False},
]


@given(st.binary(max_size=200))
@example(b'{"id":1')
def test_any_bytes_give_a_message_or_a_refusal(frame: bytes) -> None:
    message = CODEC.decode(frame)
    assert isinstance(message, (*MESSAGES, list))


@given(IDS, METHODS, OBJECTS, st.sampled_from(LAYOUTS))
def test_a_request_comes_back_however_it_is_written(
    message_id: Any, method: str, params: Any, layout: dict[str, Any]
) -> None:
    wire = {"jsonrpc": "2.0", "id": message_id, "method": method, "params": params}
    assert CODEC.decode(json.dumps(wire, **layout).encode()) == Request(message_id, method, params)
    assert CODEC.decode(CODEC.request(message_id, method, params)) == Request(message_id, method, params)


@given(IDS, OBJECTS)
def test_an_answer_comes_back(message_id: Any, result: Any) -> None:
    assert CODEC.decode(CODEC.response(message_id, result)) == Response(message_id, result, None)
    assert CODEC.response(message_id, CODEC.encode(result)) == CODEC.response(message_id, result)


@given(IDS | st.none(), st.integers(-32768, 32767), st.text(), VALUES)
def test_an_error_comes_back(message_id: Any, code: int, text: str, data: Any) -> None:
    message = CODEC.decode(CODEC.error(message_id, code, text, data))
    assert isinstance(message, Response)
    assert message.error is not None
    assert (message.id, message.error["code"], message.error.get("data")) == (message_id, code, data)


@given(OBJECTS.filter(bool), st.data(), st.sampled_from(LAYOUTS), st.integers(0, 3000))
def test_any_repeated_name_is_found_wherever_it_stands(
    params: dict[str, Any], data: st.DataObject, layout: dict[str, Any], padding: int
) -> None:
    """One member of one object is written twice, in a short text or a long one."""
    name = data.draw(st.sampled_from(sorted(params)))
    depth = data.draw(st.integers(0, 5))
    text = json.dumps(params, **layout)
    twice = text[:-1].rstrip() + " , " + json.dumps(name) + " : " + json.dumps("x" * padding) + "}"
    frame = '{"jsonrpc":"2.0","id":7,"method":"m","params":{"a":' + "[" * depth + twice + "]" * depth + "}}"
    message = CODEC.decode(frame.encode())
    assert isinstance(message, InvalidMessage)
    assert "twice" in message.message


@given(VALUES)
def test_depth_is_judged_as_it_is(value: Any) -> None:
    def depth(part: Any) -> int:
        if isinstance(part, dict):
            return 1 + max(map(depth, part.values()), default=0)
        if isinstance(part, list):
            return 1 + max(map(depth, part), default=0)
        return 0

    for limit in (1, 2, 3):
        codec = JSONRPCCodec(limits=MessageLimits(max_depth=limit))
        message = codec.decode(CODEC.encode({"x": value}))
        assert isinstance(message, InvalidMessage)
        assert ("deeper" in message.message) == (depth(value) + 1 > limit)
