"""Errors on their way from a handler that runs apart."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.errors.tool_error import ToolError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.security.apart.handler_failure import HandlerFailure

MAX_KIND: Final = 100
MAX_TRACE: Final = 8_000
"""Characters of a failure's own account of itself that reach the operator's log."""

_WORDS: Final[Mapping[str, tuple[Callable[..., Exception], tuple[str, ...]]]] = {
    "LimitExceededError": (LimitExceededError, ("limit", "message")),
    "PermissionDeniedError": (PermissionDeniedError, ("message",)),
    "ResourceUnavailableError": (ResourceUnavailableError, ("reason", "message")),
    "SandboxViolationError": (SandboxViolationError, ("reason", "message")),
    "ToolError": (ToolError, ("message",)),
    "UnknownNameError": (UnknownNameError, ("kind", "name")),
}
"""What a handler may raise by itself and be understood, each made from words alone."""


def told(error: BaseException) -> dict[str, Any]:
    """Return what is told of a handler's own error: its words where a caller should read them, else its stack.

    >>> told(ToolError("no such note"))
    {'kind': 'ToolError', 'words': ['no such note']}
    """
    kind = type(error).__name__
    if isinstance(error, InvalidArgumentsError):
        return {"kind": "InvalidArgumentsError", "words": list(error.problems)}
    for base in type(error).__mro__:
        known = _WORDS.get(base.__name__)
        if known is not None and known[0] is base:
            return {"kind": base.__name__, "words": [str(getattr(error, name)) for name in known[1]]}
    return {"kind": kind, "trace": "".join(traceback.format_exception(error))[-MAX_TRACE:]}


def understood(said: Mapping[str, Any]) -> Exception:
    """Return the error that another process told of; its words are a stranger's.

    Raises:
        ValueError: It says nothing that could be an error; a KeyError or TypeError likewise.

    >>> understood({"kind": "ToolError", "words": ["no such note"]})
    ToolError('no such note')
    """
    kind = said["kind"]
    if not isinstance(kind, str):
        raise TypeError("the name of an error is a text")
    if kind == "InvalidArgumentsError" and "words" in said:
        return InvalidArgumentsError([str(each) for each in said["words"]])
    known = _WORDS.get(kind)
    if known is None or "words" not in said:
        # Of a bug there is a stack, also where its class has the name of one of ours.
        return HandlerFailure(kind[:MAX_KIND], str(said.get("trace", ""))[-MAX_TRACE:])
    words = [str(each) for each in said["words"]]
    if len(words) != len(known[1]):
        raise ValueError("an error with other words than its own")
    return known[0](*words)
