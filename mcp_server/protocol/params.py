"""Reading parameters: one function a shape, each with the error the protocol wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode


def text(params: Mapping[str, Any], name: str) -> str:
    """Return the text `params[name]`.

    Raises:
        ProtocolError: -32602, it is missing or no text.

    >>> text({"name": "echo"}, "name")
    'echo'
    """
    value = params.get(name)
    if type(value) is not str:
        raise ProtocolError(ErrorCode.INVALID_PARAMS, f"params.{name} must be a text")
    return value


def mapping(params: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object `params[name]`, empty when it is missing.

    Raises:
        ProtocolError: -32602, it is no object.
    """
    value = params.get(name)
    if value is None:
        if name in params:
            raise ProtocolError(ErrorCode.INVALID_PARAMS, f"params.{name} must be an object, not null")
        return {}
    if not isinstance(value, dict):
        raise ProtocolError(ErrorCode.INVALID_PARAMS, f"params.{name} must be an object")
    return value


def texts(params: Mapping[str, Any], name: str) -> Mapping[str, str]:
    """Return the object of texts `params[name]`, empty when it is missing.

    Raises:
        ProtocolError: -32602, it is no object of texts.
    """
    value = mapping(params, name)
    if not all(type(each) is str for each in value.values()):
        raise ProtocolError(ErrorCode.INVALID_PARAMS, f"params.{name} must hold only texts")
    return value
