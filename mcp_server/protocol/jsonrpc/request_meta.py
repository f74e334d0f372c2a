"""What a 2026-07-28 request says about itself, in `params._meta`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.message import RequestId

PREFIX: Final = "io.modelcontextprotocol/"
PROTOCOL_VERSION: Final = PREFIX + "protocolVersion"
CLIENT_CAPABILITIES: Final = PREFIX + "clientCapabilities"
CLIENT_INFO: Final = PREFIX + "clientInfo"
LOG_LEVEL: Final = PREFIX + "logLevel"
SUBSCRIPTION_ID: Final = PREFIX + "subscriptionId"
SERVER_INFO: Final = PREFIX + "serverInfo"

LOG_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
"""From chatty to dire, as RFC 5424 orders them."""

MAX_PROGRESS_TOKEN_LENGTH: Final = 256
"""A token is echoed in every progress notification; the bound is that of a request id."""
MAX_TRACE_LENGTH: Final = 8192
"""The longest `baggage` a propagator must carry (W3C Baggage, section 3.3.2)."""

_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE_TEXT: Final = re.compile(r"[\x20-\x7e]+")


class RequestMeta(NamedTuple):
    """The envelope of a modern request, checked.

    Args:
        protocol_version: The revision the request is written in; whether it is served is for the registry to say.
        client_capabilities: What the client declares for this request, and this request alone.
        client_info: Who the client says it is: for display and logs, never for a decision.
        log_level: From which level on it wants log messages, or None for none at all.
        progress_token: What progress is reported under, or None.
        traceparent: W3C trace context, or None; a malformed one is dropped, as that specification demands.
        tracestate: Goes with `traceparent`.
        baggage: W3C baggage, or None.

    Source: MCP 2026-07-28, basic, "Request metadata"; W3C Trace Context, section 3.2.

    >>> meta = {PROTOCOL_VERSION: "2026-07-28", CLIENT_CAPABILITIES: {}, "progressToken": 7}
    >>> parse_request_meta({"_meta": meta}).progress_token
    7
    """

    protocol_version: str
    client_capabilities: Mapping[str, Any]
    client_info: Mapping[str, Any] | None = None
    log_level: str | None = None
    progress_token: RequestId | None = None
    traceparent: str | None = None
    tracestate: str | None = None
    baggage: str | None = None


def is_enveloped(params: Mapping[str, Any]) -> bool:
    """Return whether a request is of the modern era: its `_meta` carries a key only that era requires.

    One of the two required keys is enough, so that a client that forgot the other is told so, in its own era.

    >>> is_enveloped({"_meta": {PROTOCOL_VERSION: "2026-07-28"}}), is_enveloped({"_meta": {"progressToken": 1}})
    (True, False)
    """
    meta = params.get("_meta")
    return type(meta) is dict and (PROTOCOL_VERSION in meta or CLIENT_CAPABILITIES in meta)


def parse_request_meta(params: Mapping[str, Any]) -> RequestMeta:
    """Check and return the envelope of a modern request.

    Raises:
        ProtocolError: -32602; `_meta` or a required key is missing (the message names all that are), or a value is of
            the wrong type.

    >>> parse_request_meta({"_meta": {PROTOCOL_VERSION: "2026-07-28"}})
    Traceback (most recent call last):
    ...
    mcp_server.errors.protocol_error.ProtocolError: _meta lacks io.modelcontextprotocol/clientCapabilities
    """
    meta = params.get("_meta", {})
    if type(meta) is not dict:
        raise _invalid("_meta must be an object")
    missing = [key for key in (PROTOCOL_VERSION, CLIENT_CAPABILITIES) if key not in meta]
    if missing:
        raise _invalid(f"_meta lacks {' and '.join(missing)}")
    version, capabilities = meta[PROTOCOL_VERSION], meta[CLIENT_CAPABILITIES]
    if type(version) is not str:
        raise _invalid(f"{PROTOCOL_VERSION} must be text")
    if type(capabilities) is not dict:
        raise _invalid(f"{CLIENT_CAPABILITIES} must be an object")
    client_info = meta.get(CLIENT_INFO)
    if client_info is None:
        if CLIENT_INFO in meta:
            raise _invalid(f"{CLIENT_INFO} must be an object with name and version")
    else:
        _check_implementation(client_info)
    log_level = meta.get(LOG_LEVEL)
    if log_level is not None or LOG_LEVEL in meta:
        check_log_level(log_level)
    traceparent = _trace_text(meta, "traceparent")
    if traceparent is not None and not _TRACEPARENT.fullmatch(traceparent):
        traceparent = None
    return RequestMeta(
        protocol_version=version,
        client_capabilities=capabilities,
        client_info=client_info,
        log_level=log_level,
        progress_token=progress_token(params),
        traceparent=traceparent,
        # A state without its parent means nothing (W3C Trace Context, section 3.3).
        tracestate=None if traceparent is None else _trace_text(meta, "tracestate"),
        baggage=_trace_text(meta, "baggage"),
    )


def progress_token(params: Mapping[str, Any]) -> RequestId | None:
    """Return the progress token of a request of any revision, or None.

    Raises:
        ProtocolError: -32602; it is there, and neither text nor an integer, or too long to be echoed again and again.

    >>> progress_token({"_meta": {"progressToken": "t"}}), progress_token({})
    ('t', None)
    """
    meta = params.get("_meta")
    if meta is None:
        return None
    if type(meta) is not dict:
        raise _invalid("_meta must be an object")
    if "progressToken" not in meta:
        return None
    token = meta["progressToken"]
    if type(token) is int or (type(token) is str and len(token) <= MAX_PROGRESS_TOKEN_LENGTH):
        return token
    raise _invalid(f"progressToken must be an integer or a text of at most {MAX_PROGRESS_TOKEN_LENGTH} characters")


def check_log_level(level: object) -> str:
    """Return the level when it is one of the eight.

    Raises:
        ProtocolError: -32602; it is not.

    >>> check_log_level("info")
    'info'
    """
    if type(level) is str and level in LOG_LEVELS:
        return level
    raise _invalid(f"the log level must be one of {', '.join(LOG_LEVELS)}")


def _check_implementation(value: Any) -> None:
    if type(value) is not dict or type(value.get("name")) is not str or type(value.get("version")) is not str:
        raise _invalid(f"{CLIENT_INFO} must be an object with name and version")


def _trace_text(meta: Mapping[str, Any], key: str) -> str | None:
    value = meta.get(key)
    if type(value) is str and len(value) <= MAX_TRACE_LENGTH and _TRACE_TEXT.fullmatch(value):
        return value
    return None


def _invalid(message: str) -> ProtocolError:
    return ProtocolError(ErrorCode.INVALID_PARAMS, message)
