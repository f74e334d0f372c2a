"""Every value is a message or is refused, and a refusal never answers with an id that was not given."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.protocol.jsonrpc.envelope import classify
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.protocol.jsonrpc.notification import Notification
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.response import Response
from tests.property.protocol.strategies import VALUES

LIMITS = MessageLimits()
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | VALUES,
        "id": VALUES,
        "method": st.just("m") | VALUES,
        "params": VALUES,
        "result": VALUES,
        "error": st.just({"code": 1, "message": "m"}) | VALUES,
        "other": VALUES,
    },
)


@given(ENVELOPES | VALUES)
def test_every_value_is_judged_by_the_rules(value: Any) -> None:
    message = classify(value, LIMITS)
    if isinstance(message, InvalidMessage):
        assert message.code in (ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_PARAMS)
        assert message.id is None or message.id == value["id"]
        return
    assert value["jsonrpc"] == "2.0"
    assert ("result" in value) + ("error" in value) == (1 if isinstance(message, Response) else 0)
    if isinstance(message, Response):
        assert "method" not in value
        assert message.result is None or message.error is None
    else:
        assert message.method == value["method"]
        assert message.params == value.get("params", {})
        assert isinstance(message, Request if "id" in value else Notification)
    if isinstance(message, Request):
        assert type(message.id) in (str, int)
        assert message.id == value["id"]
