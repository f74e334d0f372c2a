"""Schemas as older revisions want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

WRAPPED_MEMBER: Final = "result"
"""Under this name a value that is no object travels where only objects may, as in the official TypeScript SDK."""

_VALUES: Final = frozenset({"const", "enum", "default", "examples"})
"""Below these keywords stand values, not schemas."""

_NAMED_SCHEMAS: Final = frozenset({"$defs", "definitions", "properties", "patternProperties", "dependentSchemas"})
"""Below these keywords stand names, and only below those schemas."""


def needs_wrapping(output_schema: Mapping[str, Any]) -> bool:
    """Return whether a tool's results have to be wrapped: its schema does not promise an object.

    Decided by the schema alone, so that what is advertised and what is sent always agree.

    >>> needs_wrapping({"type": "array"}), needs_wrapping({"type": "object"})
    (True, False)
    """
    return output_schema.get("type") != "object"


def wrap_output_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of `{"result": value}` for a schema of the value.

    References within the schema are moved along, since its root now lies one level deeper.

    >>> wrap_output_schema({"type": "array", "items": {"$ref": "#/$defs/a"}})["properties"]["result"]["items"]
    {'$ref': '#/properties/result/$defs/a'}
    """
    inner = _move_references(dict(schema))
    wrapped: dict[str, Any] = {"type": "object", "properties": {WRAPPED_MEMBER: inner}, "required": [WRAPPED_MEMBER]}
    if "$schema" in inner:
        wrapped["$schema"] = inner.pop("$schema")
    return wrapped


def _move_references(value: Any) -> Any:
    if isinstance(value, dict):
        moved: dict[str, Any] = {}
        for name, member in value.items():
            if name == "$ref" and isinstance(member, str) and (member == "#" or member.startswith("#/")):
                moved[name] = f"#/properties/{WRAPPED_MEMBER}{member[1:]}"
            elif name in _NAMED_SCHEMAS and isinstance(member, dict):
                moved[name] = {key: _move_references(schema) for key, schema in member.items()}
            else:
                moved[name] = member if name in _VALUES else _move_references(member)
        return moved
    if isinstance(value, list):
        return [_move_references(member) for member in value]
    return value


def with_object_properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool's schema with every property written as an object.

    JSON Schema lets `true` and `false` stand for a schema; the `schema.json` of the handshake era does not.

    >>> with_object_properties({"type": "object", "properties": {"a": True, "b": False}})["properties"]
    {'a': {}, 'b': {'not': {}}}
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not any(isinstance(member, bool) for member in properties.values()):
        return dict(schema)
    spelled = {
        name: ({} if member else {"not": {}}) if isinstance(member, bool) else member
        for name, member in properties.items()
    }
    return {**schema, "properties": spelled}


def plain_form_schema(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a form as 2025-06-18 knows it, or None where it asks for something that revision has no words for.

    Defaults exist for truth values only; a choice with titles is written `enum` and `enumNames`; several choices at
    once cannot be asked for.

    Source: MCP 2025-06-18, `PrimitiveSchemaDefinition`; 2025-11-25, SEP-1034 and SEP-1330.

    >>> titled = {"type": "string", "oneOf": [{"const": "a", "title": "A"}], "default": "a"}
    >>> plain_form_schema({"type": "object", "properties": {"x": titled}})["properties"]["x"]
    {'type': 'string', 'enum': ['a'], 'enumNames': ['A']}
    """
    properties = {}
    for name, member in schema.get("properties", {}).items():
        if member.get("type") == "array":
            return None
        plain = {
            keyword: value
            for keyword, value in member.items()
            if keyword != "oneOf" and (keyword != "default" or member.get("type") == "boolean")
        }
        if "oneOf" in member:
            plain["enum"] = [choice["const"] for choice in member["oneOf"]]
            plain["enumNames"] = [choice["title"] for choice in member["oneOf"]]
        properties[name] = plain
    form: dict[str, Any] = {"type": "object", "properties": properties}
    if "required" in schema:
        form["required"] = schema["required"]
    return form
