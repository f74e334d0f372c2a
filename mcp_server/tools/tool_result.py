"""What a tool call gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mcp_server.tools.unset import UNSET, Unset


class ToolResult(NamedTuple):
    """The content blocks and the structured value of one call, in the shape of the newest revision.

    A handler may return one to set everything itself; its content may then hold content values and texts as well. A
    named tuple, for one is made every call.

    Args:
        content: The blocks.
        structured: The structured value, any JSON value; UNSET when there is none.
        is_error: Whether the call failed; then there is no structured value, for clients would check it.
        meta: The result's `_meta`.

    >>> ToolResult(({"type": "text", "text": "3"},), structured={"n": 3}).is_error
    False
    """

    content: tuple[Any, ...] = ()
    structured: Any | Unset = UNSET
    is_error: bool = False
    meta: Mapping[str, Any] | None = None

    @property
    def size(self) -> int:
        """How many characters its texts and data have; a structured value stands in a text as well.

        >>> ToolResult(({"type": "text", "text": "abc"},)).size
        3
        """
        size = 0
        for block in self.content:
            size += len(block.get("text") or block.get("data") or "")
            resource = block.get("resource")
            if resource is not None:
                size += len(resource.get("text") or resource.get("blob") or "")
        return size
