"""From a parsed JSON value to a message: the envelope's rules.

1. `jsonrpc` is exactly "2.0".
2. A message with `method` is a request or, without `id`, a notification; one with `result` or `error` is a response.
   One with both is neither: it would be answered by one reader and consumed by the next.
3. `id` is text or an integer: null, fractions and truth values are refused (`true` equals 1 in Python and in no other
   place). Its size is bounded, for it is echoed and kept.
4. `params` is an object. JSON-RPC also knows arrays: well formed, but not parameters of this protocol (-32602).
5. A response carries exactly one of `result` (an object) and `error` (with an integer `code` and a textual `message`).
   Its id may be missing or null only on an error, about a message whose id could not be read.

Unknown further members of the envelope are ignored: every revision's schema allows them, clients do add their own, and
nothing here or later reads them, so they cannot change what a message means.

Source: JSON-RPC 2.0, sections 4 and 5; MCP 2025-11-25, basic, "Messages".
"""

from __future__ import annotations

from typing import Any, Final

from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.message import Message, RequestId
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.protocol.jsonrpc.notification import Notification
from mcp_server.protocol.jsonrpc.request import Request
from mcp_server.protocol.jsonrpc.response import Response

INVALID_REQUEST: Final = int(ErrorCode.INVALID_REQUEST)
INVALID_PARAMS: Final = int(ErrorCode.INVALID_PARAMS)

MAX_INTEGER_ID: Final = 2**63 - 1
"""What every language's 64-bit integer holds; an id that came back rounded would answer somebody else's request."""

_ABSENT: Final = object()


def readable_id(value: Any, limits: MessageLimits) -> RequestId | None:
    """Return the value when it may serve as a request id, else None.

    >>> readable_id(7, MessageLimits()), readable_id(True, MessageLimits()), readable_id(1.0, MessageLimits())
    (7, None, None)
    """
    kind = type(value)
    if kind is int:
        return value if -MAX_INTEGER_ID <= value <= MAX_INTEGER_ID else None
    if kind is str and len(value) <= limits.max_id_length:
        return value  # type: ignore[no-any-return] # kind is str
    return None


def classify(value: Any, limits: MessageLimits) -> Message:
    """Return the message a parsed JSON value is, or an `InvalidMessage` that says why it is none.

    Args:
        value: What the parser returned; not an array, which is a batch and for the codec to take apart.
        limits: The bounds of ids and method names.

    >>> classify({"jsonrpc": "2.0", "id": 1, "method": "ping"}, MessageLimits())
    Request(id=1, method='ping', params={})
    >>> classify({"jsonrpc": "2.0", "id": None, "method": "ping"}, MessageLimits()).message
    'the id must be text or an integer'
    """
    if type(value) is not dict:
        return InvalidMessage(INVALID_REQUEST, "a message must be a JSON object", None)
    method = value.get("method", _ABSENT)
    if method is _ABSENT:
        return _classify_response(value, limits)
    if len(value) == 4 and type(method) is str and 0 < len(method) <= limits.max_method_length:
        # Nearly every message: exactly the four members of a call, so nothing else needs to be looked for.
        message_id, params = value.get("id"), value.get("params")
        if type(message_id) is not int or abs(message_id) > MAX_INTEGER_ID:
            message_id = readable_id(message_id, limits)
        if message_id is not None and type(params) is dict and value.get("jsonrpc") == "2.0":
            return Request(message_id, method, params)
    # Step 3 comes first, so that every later refusal can carry the id.
    message_id = value.get("id", _ABSENT)
    known_id = None if message_id is _ABSENT else readable_id(message_id, limits)
    if value.get("jsonrpc") != "2.0":
        return InvalidMessage(INVALID_REQUEST, 'jsonrpc must be "2.0"', known_id)
    if "result" in value or "error" in value:
        return InvalidMessage(INVALID_REQUEST, "a message is a request or a response, not both", None)
    if known_id is None and message_id is not _ABSENT:
        return InvalidMessage(INVALID_REQUEST, _id_problem(message_id, limits), None)
    if type(method) is not str or not method:
        return InvalidMessage(INVALID_REQUEST, "the method must be a non-empty text", known_id)
    if len(method) > limits.max_method_length:
        problem = f"the method is longer than {limits.max_method_length} characters"
        return InvalidMessage(INVALID_REQUEST, problem, known_id)
    params = value.get("params", _ABSENT)
    if params is _ABSENT:
        params = {}
    elif type(params) is not dict:
        code = INVALID_PARAMS if type(params) is list else INVALID_REQUEST
        return InvalidMessage(code, "params must be an object", known_id)
    if known_id is None:
        return Notification(method, params)
    return Request(known_id, method, params)


def _classify_response(value: dict[str, Any], limits: MessageLimits) -> Message:
    """Read a message without a method.

    A refused response is answered with a null id: its own id is one that *this* side gave out, and an error that
    carried it would answer some unrelated request of the sender.
    """
    if "result" not in value and "error" not in value:
        known_id = readable_id(value.get("id"), limits)
        return InvalidMessage(INVALID_REQUEST, "a message needs a method, a result or an error", known_id)
    if value.get("jsonrpc") != "2.0":
        return InvalidMessage(INVALID_REQUEST, 'jsonrpc must be "2.0"', None)
    if "result" in value and "error" in value:
        return InvalidMessage(INVALID_REQUEST, "a response carries a result or an error, not both", None)
    raw_id = value.get("id")
    message_id = readable_id(raw_id, limits)
    if "result" in value:
        if message_id is None:
            return InvalidMessage(INVALID_REQUEST, _id_problem(raw_id, limits), None)
        result = value["result"]
        if type(result) is not dict:
            return InvalidMessage(INVALID_REQUEST, "the result must be an object", None)
        return Response(message_id, result, None)
    if message_id is None and raw_id is not None:
        return InvalidMessage(INVALID_REQUEST, _id_problem(raw_id, limits), None)
    error = value["error"]
    if type(error) is not dict or type(error.get("code")) is not int or type(error.get("message")) is not str:
        return InvalidMessage(INVALID_REQUEST, "an error needs an integer code and a textual message", None)
    return Response(message_id, None, error)


def _id_problem(value: Any, limits: MessageLimits) -> str:
    if type(value) is str:
        return f"the id is longer than {limits.max_id_length} characters"
    if type(value) is int:
        return "the id does not fit 64 bits"
    return "the id must be text or an integer"
