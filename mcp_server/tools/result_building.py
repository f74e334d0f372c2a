"""Turning what a handler returned into content blocks and a structured value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from mcp_server.tools.tool_contract import ToolContract
from mcp_server.tools.tool_result import ToolResult
from mcp_server.tools.unset import UNSET


def build_result(value: Any, contract: ToolContract) -> ToolResult:
    """Return the result that the handler's value means.

    A text is a text block; a dict, dataclass or model is a structured value and the same as JSON text; content values
    are blocks; None is nothing at all. With an output schema, the structured value is measured by it first.

    Raises:
        TypeError: The handler returned what cannot be sent, or what its own output schema does not allow. That is a
            bug of the module, and is answered as one.
    """
    if type(value) is str and not contract.has_output:
        return ToolResult(({"type": "text", "text": value},))
    if isinstance(value, ToolResult):
        result = _finished(value)
        if not result.is_error:
            _measure(result.structured, contract)
        return result
    if value is None and not contract.has_output:
        return ToolResult()
    if _is_content(value):
        _measure(UNSET, contract)
        blocks = value if isinstance(value, (list, tuple)) else (value,)
        return ToolResult(tuple(content_block(item) for item in blocks))
    plain = to_plain(value)
    # A text, a date or a UUID is written bare; numbers, lists and objects as JSON writes them.
    block = {"type": "text", "text": plain if isinstance(plain, str) else to_json(plain).decode()}
    if contract.has_output:
        _measure(plain, contract)
        return ToolResult((block,), structured=plain)
    if isinstance(plain, dict):
        return ToolResult((block,), structured=plain)
    return ToolResult((block,))


def to_plain(value: Any) -> Any:
    """Return the value as plain JSON values.

    Raises:
        TypeError: It is no JSON value and does not become one by itself.

    >>> to_plain({"when": __import__("datetime").date(2026, 1, 31)})
    {'when': '2026-01-31'}
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError("a handler returned bytes; return Image(...), Audio(...) or EmbeddedResource(...) instead")
    try:
        return to_jsonable_python(value, bytes_mode="base64")
    except (PydanticSerializationError, ValueError) as error:
        raise TypeError(f"a handler returned a {type(value).__name__}, which has no JSON form") from error


def _is_block(value: Any) -> bool:
    """Whether it is one of the content values; they say so themselves, so that none need be imported to ask."""
    return getattr(type(value), "is_content", False) is True


def _is_content(value: Any) -> bool:
    if _is_block(value):
        return True
    return isinstance(value, (list, tuple)) and any(map(_is_block, value))


def content_block(item: Any) -> dict[str, Any]:
    """Return one block: of a content value, of a text, or of a block that is already in the protocol's spelling.

    >>> content_block("hello")
    {'type': 'text', 'text': 'hello'}
    """
    if _is_block(item):
        wire: dict[str, Any] = item.to_wire()
        return wire
    if isinstance(item, str):
        return {"type": "text", "text": item}
    if isinstance(item, Mapping) and isinstance(item.get("type"), str):
        return dict(item)
    return {"type": "text", "text": to_json(to_plain(item)).decode()}


def _finished(result: ToolResult) -> ToolResult:
    if result.is_error and result.structured is not UNSET:
        # Clients would measure it by the output schema, and fail a second time.
        raise TypeError("an error result carries no structured value")
    structured = result.structured if result.structured is UNSET else to_plain(result.structured)
    blocks = tuple(content_block(item) for item in result.content)
    if not blocks and structured is not UNSET:
        blocks = ({"type": "text", "text": to_json(structured).decode()},)
    return ToolResult(blocks, structured, result.is_error, result.meta)


def _measure(structured: Any, contract: ToolContract) -> None:
    if not contract.has_output:
        return
    if structured is UNSET:
        raise TypeError("the tool has an output schema, and its handler returned no structured value")
    problems = contract.output_problems(structured)
    if problems:
        raise TypeError(f"the handler's result does not fit the tool's output schema: {'; '.join(problems)}")
