"""The frozen value: its definition on the wire, and the hash of it."""

from __future__ import annotations

from typing import Any

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.icon import Icon
from mcp_server.tools.module import Module
from mcp_server.tools.tool import Tool
from mcp_server.tools.tool_annotations import ToolAnnotations

SCHEMA = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {"b": {}, "a": {}}}


async def handle(client: Any, params: Any) -> None: ...


def tool(**changes: Any) -> Tool:
    module = Module("m")
    options: dict[str, Any] = {"name": "t", "description": "d", "input_schema": SCHEMA, "handler": handle}
    module.register_tool(**(options | changes))
    module.lower()
    return next(iter(module.tools.values()))


def test_written_schema_is_sent_word_for_word() -> None:
    assert tool().to_wire() == {"name": "t", "description": "d", "inputSchema": SCHEMA}
    assert list(tool().to_wire()["inputSchema"]["properties"]) == ["b", "a"]


def test_definition_carries_what_was_given() -> None:
    wire = tool(
        title="T",
        output_schema={"type": "object"},
        annotations=ToolAnnotations(read_only=True, open_world=False),
        icons=[Icon("data:,"), {"src": "https://example.org/i.png", "mimeType": "image/png"}],
        meta={"dev.example/x": 1},
    ).to_wire()
    assert wire["title"] == "T"
    assert wire["outputSchema"] == {"type": "object"}
    assert wire["annotations"] == {"readOnlyHint": True, "openWorldHint": False}
    assert wire["icons"] == [{"src": "data:,"}, {"src": "https://example.org/i.png", "mimeType": "image/png"}]
    assert wire["_meta"] == {"dev.example/x": 1}


def test_hash_changes_with_what_a_human_approved() -> None:
    bound = [Permission(PermissionType.FILE_READ, argument="a")]
    hashes = {
        tool().definition_hash,
        tool(name="u").definition_hash,
        tool(description="e").definition_hash,
        tool(input_schema={"type": "object"}).definition_hash,
        tool(permissions=bound).definition_hash,
    }
    assert len(hashes) == 5


def test_hash_does_not_depend_on_the_order_of_members_or_on_other_things() -> None:
    turned = {"properties": {"a": {}, "b": {}}, "type": "object", "$schema": SCHEMA["$schema"]}
    assert tool().definition_hash == tool(input_schema=turned, title="T", timeout_seconds=4).definition_hash
