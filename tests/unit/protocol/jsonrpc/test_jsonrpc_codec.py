"""Hostile and friendly frames through the codec."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.protocol.jsonrpc.notification import Notification
from mcp_server.protocol.jsonrpc.refused_frame import RefusedFrame
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.response import Response

CODEC = JSONRPCCodec()


def call(**params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).encode()


def refused(frame: bytes, codec: JSONRPCCodec = CODEC) -> InvalidMessage:
    message = codec.decode(frame)
    assert isinstance(message, InvalidMessage)
    return message


def test_a_request_a_notification_and_a_response() -> None:
    assert CODEC.decode(call(name="echo")) == Request(7, "tools/call", {"name": "echo"})
    assert CODEC.decode(b'{"jsonrpc":"2.0","method":"m"}') == Notification("m", {})
    assert CODEC.decode(b'{"jsonrpc":"2.0","id":"a","result":{}}') == Response("a", {}, None)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"nul",
        b'\xef\xbb\xbf{"jsonrpc":"2.0","id":7,"method":"m"}',
        b'\x00{"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0"}\x00',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":01}',
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":1} {"b":2}',
        b'{"a":"\x01"}',
        b'{"a":"a\x00b"}',
        b'{"a":"\xff"}',
        b'{"a":"\xc0\xaf"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":"\\x41"}',
        b"{/**/}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":' + b"1" * 5000 + b"}",
    ],
)
def test_what_is_not_json_is_a_parse_error(text: bytes) -> None:
    assert refused(text).code == -32700


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a" :2}',
        b'{"a"\t:1,"\\u0061"\r:2}',
        b'{"x":{"a":1,"b":"p:q","a":2}}',
        b'{"x":[1,{"":1,"":2}]}',
        b'{"\\\\":1,"\\\\":2}',
        b'{"k":"\\":\\":","a\\"":1,"a\\"":2}',
        b'{"n":' + b'"' + b"::" * 3000 + b'","n":1}',
    ],
)
def test_a_member_named_twice_is_refused(text: bytes) -> None:
    message = refused(b'{"jsonrpc":"2.0","id":7,"method":"m","params":' + text + b"}")
    assert message == InvalidMessage(-32600, "the message names a member twice in one object", 7)


@pytest.mark.parametrize(
    "text",
    [
        'a "quoted": b : c\\": \\\\": "',
        ":" * 5000,
        '{"a":1,"a":2}' * 300,
        "C:\\dir\\",
        "\\",
        '"',
        "",
    ],
)
def test_colons_and_quotes_in_texts_are_no_members(text: str) -> None:
    for frame in (call(text=text, **{text: text}), json.dumps(json.loads(call(text=text)), indent=2).encode()):
        message = CODEC.decode(frame)
        assert isinstance(message, Request)
        assert message.params["text"] == text


def test_the_same_name_in_two_objects_is_fine() -> None:
    assert isinstance(CODEC.decode(call(a={"a": {"a": 1}}, b=[{"a": 1}, {"a": 2}])), Request)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400 + ".0"])
def test_a_number_that_overflows_is_refused(number: str) -> None:
    frame = b'{"jsonrpc":"2.0","id":7,"method":"m","params":{"a":[%s]}}' % number.encode()
    assert refused(frame) == InvalidMessage(-32600, "the message holds a number that is too large", 7)


@pytest.mark.parametrize(
    ("number", "fits"), [(2**64 - 1, True), (2**64, False), (-(2**64) + 1, True), (-(2**64), False)]
)
def test_integers_are_bounded(number: int, fits: bool) -> None:
    message = CODEC.decode(call(a=number))
    assert isinstance(message, Request if fits else InvalidMessage)


def test_depth_is_bounded_exactly() -> None:
    # The message and its params are two levels already.
    deepest = b"[" * 62 + b"]" * 62
    frame = b'{"jsonrpc":"2.0","id":7,"method":"m","params":{"a":%b}}'
    assert isinstance(CODEC.decode(frame % deepest), Request)
    message = refused(frame % (b"[" + deepest + b"]"))
    assert message == InvalidMessage(-32600, "the message is nested deeper than 64 levels", 7)


def test_brackets_in_texts_are_not_depth() -> None:
    assert isinstance(CODEC.decode(call(text="[{" * 5000, also='\\"[' * 100)), Request)


def test_many_small_objects_are_not_depth() -> None:
    assert isinstance(CODEC.decode(call(rows=[{"a": []}] * 1000)), Request)


@pytest.mark.parametrize("text", [b"[" * 4_000_000, b'{"a":' * 500_000, b"[" * 100])
def test_hostile_nesting_is_refused(text: bytes) -> None:
    assert refused(text).code == -32600


def test_members_are_bounded() -> None:
    codec = JSONRPCCodec(limits=MessageLimits(max_members=20))
    assert isinstance(codec.decode(call(a=list(range(10)))), Request)
    message = refused(call(a=list(range(30))), codec)
    assert message == InvalidMessage(-32600, "the message holds more than 20 members", 7)
    assert isinstance(codec.decode(call(a=",[{" * 100)), Request)


def test_size_is_bounded() -> None:
    codec = JSONRPCCodec(limits=MessageLimits(max_message_bytes=3000))
    assert refused(call(a="x" * 3000), codec) == InvalidMessage(-32600, "the message is longer than 3000 bytes", 7)


def test_a_frame_refused_by_the_framer_is_answered() -> None:
    frame = RefusedFrame(b'{"jsonrpc":"2.0","id":"seven","method":"m","params":{"a":"xxxx', 64)
    assert CODEC.decode(frame) == InvalidMessage(-32600, "the message is longer than 64 bytes", "seven")


@pytest.mark.parametrize("text", [b"1", b'"x"', b"null", b"true", b"1.5"])
def test_what_is_no_object_is_no_message(text: bytes) -> None:
    assert refused(text) == InvalidMessage(-32600, "a message must be a JSON object", None)


def test_a_batch_is_taken_apart() -> None:
    batch = CODEC.decode(b"[" + call() + b',{"jsonrpc":"2.0","method":"m"},3]')
    assert isinstance(batch, list)
    assert [type(message) for message in batch] == [Request, Notification, InvalidMessage]


def test_a_batch_is_neither_empty_nor_endless() -> None:
    assert refused(b"[]").message == "a batch must not be empty"
    assert refused(b"[" + b",".join([b"1"] * 101) + b"]").message == "a batch holds at most 100 messages"


def test_a_parse_error_keeps_a_readable_id() -> None:
    assert refused(b'{"jsonrpc":"2.0","id":7,"method":"m","params":{"a":NaN}}').id == 7


def test_the_parser_says_where() -> None:
    assert "line 1 column 2" in refused(b"{]").message


# Writing


def test_answers_are_spliced() -> None:
    assert CODEC.response('a"b', b'{"x":1}') == b'{"jsonrpc":"2.0","id":"a\\"b","result":{"x":1}}'
    assert CODEC.response(0, {"x": 1}) == b'{"jsonrpc":"2.0","id":0,"result":{"x":1}}'
    assert json.loads(CODEC.error(None, -32700, "no")) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32700, "message": "no"},
    }
    assert json.loads(CODEC.error(1, 4030, "no", {"a": 1}))["error"]["data"] == {"a": 1}
    assert CODEC.error(1, 4030, "no", b"[1]").endswith(b'"data":[1]}}')
    assert json.loads(CODEC.request(1, "ping")) == {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert json.loads(CODEC.notification("n", {"a": 1})) == {"jsonrpc": "2.0", "method": "n", "params": {"a": 1}}
    assert json.loads(CODEC.refusal(InvalidMessage(-32600, "no", 3)))["id"] == 3
    assert CODEC.batch([b"1", b"2"]) == b"[1,2]"


def test_no_message_holds_a_raw_newline() -> None:
    assert b"\n" not in CODEC.response("a\nb", {"text": "line\nline\r\n"})
    assert b"\n" not in CODEC.error("a\nb", 1, "line\nline")
    assert b"\n" not in CODEC.notification("a\nb", {"a": "\n"})


def test_what_utf8_cannot_say_is_replaced() -> None:
    value = {"name\udcff": ["bad\ud800name", ("t",)]}
    assert json.loads(CODEC.encode(value)) == {"name\ufffd": ["bad\ufffdname", ["t"]]}
    assert json.loads(CODEC.error("\ud800", 1, "\ud800"))["id"] == "\ufffd"


def test_what_json_cannot_say_is_null() -> None:
    assert CODEC.encode([math.nan, math.inf, -math.inf]) == b"[null,null,null]"


@pytest.mark.parametrize("value", [object(), {"a": [object()]}, b"\xff"])
def test_what_is_no_json_value_is_a_bug_and_says_so(value: Any) -> None:
    with pytest.raises(TypeError, match="not a JSON value"):
        CODEC.encode({"value": value})
