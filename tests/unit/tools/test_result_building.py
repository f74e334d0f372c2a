"""From what a handler returned to what is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict

import pytest
from pydantic import BaseModel

from mcp_server.tools.content.audio import Audio
from mcp_server.tools.content.embedded_resource import EmbeddedResource
from mcp_server.tools.content.image import Image
from mcp_server.tools.content.resource_link import ResourceLink
from mcp_server.tools.content.text import Text
from mcp_server.tools.module import Module
from mcp_server.tools.tool_result import ToolResult
from mcp_server.tools.unset import UNSET

Call = Callable[..., ToolResult]


@dataclass
class Point:
    x: int


class Model(BaseModel):
    when: date


class Count(TypedDict):
    n: int


def returning(value: Any, **options: Any) -> Module:
    async def handler(client: Any, params: Any) -> Any:
        return value

    module = Module("m")
    module.register_tool(name="t", description="d", input_schema={"type": "object"}, handler=handler, **options)
    return module


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


@pytest.mark.parametrize(
    ("value", "content", "structured"),
    [
        ("hello", (text("hello"),), UNSET),
        ("", (text(""),), UNSET),
        (None, (), UNSET),
        (3, (text("3"),), UNSET),
        (True, (text("true"),), UNSET),
        (date(2026, 1, 31), (text("2026-01-31"),), UNSET),
        ([1, "a"], (text('[1,"a"]'),), UNSET),
        ({"a": [1]}, (text('{"a":[1]}'),), {"a": [1]}),
        (Point(1), (text('{"x":1}'),), {"x": 1}),
        (Model(when=date(2026, 1, 31)), (text('{"when":"2026-01-31"}'),), {"when": "2026-01-31"}),
        (Text("a", annotations={"priority": 1}), ({**text("a"), "annotations": {"priority": 1}},), UNSET),
        (Image(b"hi"), ({"type": "image", "data": "aGk=", "mimeType": "image/png"},), UNSET),
        (Audio(b"hi"), ({"type": "audio", "data": "aGk=", "mimeType": "audio/wav"},), UNSET),
        (["see", ResourceLink("a:b", "b")], (text("see"), {"type": "resource_link", "uri": "a:b", "name": "b"}), UNSET),
        (
            EmbeddedResource("a:b", b"hi", meta={"x": 1}),
            (
                {
                    "type": "resource",
                    "resource": {"uri": "a:b", "mimeType": "application/octet-stream", "blob": "aGk="},
                    "_meta": {"x": 1},
                },
            ),
            UNSET,
        ),
        (ToolResult((Text("a"), "b"), {"n": 1}), (text("a"), text("b")), {"n": 1}),
        (ToolResult((), {"n": 1}), (text('{"n":1}'),), {"n": 1}),
    ],
)
def test_value_becomes_content(call: Call, value: Any, content: Any, structured: Any) -> None:
    result = call(returning(value), "t")
    assert result.content == content
    assert result.structured == structured
    assert not result.is_error


@pytest.mark.parametrize("value", [b"bytes", object(), {"a": object()}, ToolResult((), {"n": 1}, is_error=True)])
def test_value_that_cannot_be_sent_is_a_bug(call: Call, value: Any) -> None:
    with pytest.raises(TypeError):
        call(returning(value), "t")


def test_output_that_fits_is_sent(call: Call) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    assert call(returning({"n": 1}, output_schema=schema), "t").structured == {"n": 1}
    assert call(returning([1], output_schema={"type": "array"}), "t").structured == [1]
    assert call(returning("a", output_schema={"type": "string"}), "t").structured == "a"


@pytest.mark.parametrize("value", [{"n": "x"}, {}, "text", Text("only content"), ToolResult(("a",))])
def test_output_that_does_not_fit_is_a_bug(call: Call, value: Any) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    with pytest.raises(TypeError, match="output schema"):
        call(returning(value, output_schema=schema), "t")


def test_error_result_needs_no_structured_value(call: Call) -> None:
    result = call(returning(ToolResult(("no",), is_error=True), output_schema={"type": "object"}), "t")
    assert result.is_error
    assert result.content == (text("no"),)


def test_typed_output_is_measured_by_its_type(call: Call) -> None:
    module = Module("m")

    @module.tool
    async def good() -> Count:
        return {"n": 1}

    @module.tool
    async def bad() -> Count:
        return {"n": "x"}  # type: ignore[typeddict-item]

    assert call(module, "good").structured == {"n": 1}
    with pytest.raises(TypeError, match="'n' must be an integer"):
        call(module, "bad")
