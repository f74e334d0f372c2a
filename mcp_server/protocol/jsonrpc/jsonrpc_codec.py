"""Bytes to messages and back."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_json

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.envelope import classify
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.invalid_message import InvalidMessage
from mcp_server.protocol.jsonrpc.json_guard import parse, recover_id
from mcp_server.protocol.jsonrpc.message import Batch, Message, RequestId
from mcp_server.protocol.jsonrpc.message_limits import MessageLimits
from mcp_server.protocol.jsonrpc.refused_frame import RefusedFrame

INVALID_REQUEST: Final = int(ErrorCode.INVALID_REQUEST)

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DEFAULT_LIMITS: Final = MessageLimits()


class JSONRPCCodec:
    """Reads and writes JSON-RPC messages; every frame gives a message, a batch, or an `InvalidMessage`, never silence.

    What goes out holds no raw newline, so a line transport only has to append one.

    Args:
        limits: The bounds of what is read.

    Source: JSON-RPC 2.0; MCP 2025-11-25, basic, "Messages".

    >>> codec = JSONRPCCodec()
    >>> codec.decode(b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
    Request(id=1, method='ping', params={})
    >>> codec.decode(b'{"jsonrpc":"2.0","id":2,"id":3,"method":"ping"}').message
    'the message names a member twice in one object'
    >>> codec.response(1, {})
    b'{"jsonrpc":"2.0","id":1,"result":{}}'
    """

    __slots__ = ("limits",)

    def __init__(self, *, limits: MessageLimits = _DEFAULT_LIMITS) -> None:
        self.limits = limits

    # Reading

    def decode(self, frame: bytes | RefusedFrame) -> Message | Batch:
        """Return what a frame holds.

        A list is a batch: legal in one revision only, so whoever knows the session decides. An element of a batch that
        is no message is an `InvalidMessage` in its place; an empty or over-long batch is one `InvalidMessage`.

        Args:
            frame: The text of one message, or the framer's note that it was too long.
        """
        if type(frame) is RefusedFrame:
            message = f"the message is longer than {frame.max_frame_bytes} bytes"
            return InvalidMessage(INVALID_REQUEST, message, recover_id(frame.head, self.limits))
        try:
            value = parse(frame, self.limits)  # type: ignore[arg-type] # a RefusedFrame returned above; mypy does not follow type()
        except ProtocolError as error:
            return InvalidMessage(error.code, error.message, recover_id(frame, self.limits))  # type: ignore[arg-type] # as above
        if type(value) is list:
            return self._classify_batch(value)
        return classify(value, self.limits)

    def _classify_batch(self, value: list[Any]) -> Message | Batch:
        if not value:
            return InvalidMessage(INVALID_REQUEST, "a batch must not be empty", None)
        if len(value) > self.limits.max_batch:
            message = f"a batch holds at most {self.limits.max_batch} messages"
            return InvalidMessage(INVALID_REQUEST, message, None)
        return [classify(element, self.limits) for element in value]

    # Writing

    def encode(self, value: Any) -> bytes:
        """Return a value as compact JSON.

        Lone surrogates, which come from file names that are not UTF-8, go out as U+FFFD; NaN and the infinities, which
        JSON does not know, as null: a result that cannot be written would leave its caller waiting.

        Raises:
            TypeError: The value holds something that is no JSON: a bug of whoever made it.
        """
        try:
            return to_json(value, inf_nan_mode="null")
        except PydanticSerializationError:
            return self._encode_mended(value)

    def _encode_mended(self, value: Any) -> bytes:
        try:
            return to_json(_without_surrogates(value), inf_nan_mode="null")
        except PydanticSerializationError as error:
            raise TypeError(f"not a JSON value: {error}") from error

    def request(self, message_id: RequestId, method: str, params: Any = None) -> bytes:
        """Return a request to the other side; `params` may be encoded already, and None leaves them out."""
        return b'{"jsonrpc":"2.0","id":%b,"method":%b%b}' % (
            self._id(message_id),
            to_json(method),
            b"" if params is None else b',"params":' + self._raw(params),
        )

    def notification(self, method: str, params: Any = None) -> bytes:
        """Return a notification; `params` may be encoded already, and None leaves them out."""
        return b'{"jsonrpc":"2.0","method":%b%b}' % (
            to_json(method),
            b"" if params is None else b',"params":' + self._raw(params),
        )

    def response(self, message_id: RequestId, result: Any) -> bytes:
        """Return the answer to a request.

        Args:
            message_id: The request's id.
            result: A JSON object, or its bytes when it is encoded already: a cached list is spliced in, not built anew.
        """
        body = result if type(result) is bytes else self.encode(result)
        if type(message_id) is int:
            return b'{"jsonrpc":"2.0","id":%d,"result":%b}' % (message_id, body)
        return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (self._id(message_id), body)

    def error(self, message_id: RequestId | None, code: int, message: str, data: Any = None) -> bytes:
        """Return an error answer.

        Args:
            message_id: The request's id, or None where it could not be read.
            code: The error code.
            message: What was wrong.
            data: More about it, a JSON value; None leaves it out.
        """
        return b'{"jsonrpc":"2.0","id":%b,"error":{"code":%d,"message":%b%b}}' % (
            self._id(message_id),
            code,
            self.encode(message),
            b"" if data is None else b',"data":' + self._raw(data),
        )

    def refusal(self, invalid: InvalidMessage) -> bytes:
        """Return the error answer to a refused frame."""
        return self.error(invalid.id, invalid.code, invalid.message)

    def batch(self, messages: list[bytes]) -> bytes:
        """Return encoded messages as one batch."""
        return b"[" + b",".join(messages) + b"]"

    def _raw(self, value: Any) -> bytes:
        return value if type(value) is bytes else self.encode(value)

    def _id(self, message_id: RequestId | None) -> bytes:
        return b"null" if message_id is None else self.encode(message_id)


def _without_surrogates(value: Any) -> Any:
    """Return a copy of a JSON value whose texts can be written as UTF-8."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(member) for member in value]
    return value
