"""The envelope, and a modern request's `_meta`: judged by the rules, whatever the values are."""

from __future__ import annotations

from pydantic_core import from_json

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.envelope import classify
from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.request_meta import is_enveloped, parse_request_meta, progress_token
from mcp_server.protocol.jsonrpc.response import Response

name = "envelope"

LIMITS = MessageLimits()


def run(data: bytes) -> None:
    """Classify whatever can be parsed of the input."""
    try:
        # What breaks off at the end counts as closed there, so that more inputs get as far as the envelope.
        value = from_json(data, allow_partial=True)
    except ValueError:
        return
    message = classify(value, LIMITS)
    if isinstance(message, InvalidMessage):
        assert message.code in (-32600, -32602)
        assert message.id is None or message.id == value["id"]
        return
    assert value["jsonrpc"] == "2.0"
    if isinstance(message, Response):
        assert (message.result is None) != (message.error is None)
        return
    assert isinstance(message.params, dict)
    if isinstance(message, Request):
        assert type(message.id) in (int, str)
    try:
        progress_token(message.params)
        meta = parse_request_meta(message.params)
    except ProtocolError as error:
        code = error.code
    else:
        code = -32602
        assert is_enveloped(message.params)
        assert isinstance(meta.protocol_version, str)
    assert code == -32602
