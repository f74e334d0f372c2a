"""What a broker answered, looked at as what an enemy wrote."""

from __future__ import annotations

import os
import re
from typing import Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.broker.frame import Frame
from mcp_server.resources.filesystem.names import escaped

# The words that callers act on; see the classes.
_VIOLATIONS: Final = frozenset({"escape", "name", "hardlink", "special", "mount", "protected", "symlink", "quota"})
_REASONS: Final = frozenset(
    {"missing", "exists", "not_a_directory", "is_a_directory", "not_empty", "changed", "full", "busy", "io"}
)
_LIMIT: Final = re.compile(r"[a-z_]{1,40}", re.ASCII)
_TYPE_NAME: Final = re.compile(r"[A-Za-z_]{1,60}", re.ASCII)
# Ours quote a path of 200 characters, each of them perhaps as an escape of ten.
_MAX_MESSAGE_CHARACTERS: Final = 4_000
_MAX_ERRNO: Final = 4095
_REFUSAL_PARTS: Final = 3


def value_of(frame: Frame, *, number: int, descriptors: int = 0) -> Any:
    """Return the value of an answer.

    Args:
        frame: The answer; what it hands over stays the caller's.
        number: The number of the question.
        descriptors: How many descriptors an answer with a value may hand over at most.

    Raises:
        ValueError: It is no answer to that question.
        MCPServerError: The refusal that it tells.
        OSError: The error of the kernel that it tells.
        RuntimeError: A bug on the other side.

    >>> value_of(Frame({"id": 7, "value": True}), number=7)
    True
    """
    head = frame.head
    if type(head.get("id")) is not int or head["id"] != number or len(head) != 2 or frame.body:
        raise ValueError("this is no answer to what was asked")
    if "value" in head:
        if len(frame.descriptors) > descriptors:
            raise ValueError("nothing was to be handed over")
        return head["value"]
    if frame.descriptors:
        raise ValueError("nothing is handed over with an error")
    if "refusal" in head:
        raise _refusal_of(head["refusal"])
    if "errno" in head:
        raise error_of(head["errno"])
    bug = head.get("bug")
    if not isinstance(bug, str) or not _TYPE_NAME.fullmatch(bug):
        raise ValueError("this is no answer at all")
    raise RuntimeError(f"the broker of a client's files failed: {bug}")


def error_of(number: Any) -> OSError:
    """Return the error of the kernel with that number.

    Raises:
        ValueError: It is no such number.

    >>> error_of(2)
    FileNotFoundError(2, 'No such file or directory')
    """
    if type(number) is not int or not 0 < number <= _MAX_ERRNO:
        raise ValueError("this is no number of an error")
    return OSError(number, os.strerror(number))


def _refusal_of(told: Any) -> MCPServerError:
    if not isinstance(told, list) or len(told) != _REFUSAL_PARTS or not all(isinstance(each, str) for each in told):
        raise ValueError("a refusal is three texts")
    kind, reason, message = told
    if len(message) > _MAX_MESSAGE_CHARACTERS:
        raise ValueError("a message is short")
    # It is shown to people and models, in whatever way they are shown things.
    message = escaped(message)
    if kind == "sandbox" and reason in _VIOLATIONS:
        return SandboxViolationError(reason, message)
    if kind == "resource" and reason in _REASONS:
        return ResourceUnavailableError(reason, message)
    if kind == "limit" and _LIMIT.fullmatch(reason):
        return LimitExceededError(reason, message)
    raise ValueError("there is no such refusal")
