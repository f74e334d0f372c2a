"""What a hand-written schema may be."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.written_schema import check_schema


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ([], "a JSON object"),
        ({}, '"type": "object"'),
        ({"type": "array"}, '"type": "object"'),
        ({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}, "2020-12"),
        ({"type": "object", "properties": {"a": {"$ref": "https://example.org/x"}}}, "leads elsewhere"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "unknown type 'text'"),
        ({"type": "object", "properties": []}, "'properties'"),
        ({"type": "object", "properties": {"a": 3}}, "properties.a"),
        ({"type": "object", "required": "a"}, "'required'"),
        ({"type": "object", "properties": {"a": {"items": [{}]}}}, "'prefixItems'"),
        ({"type": "object", 3: 4}, "no text"),
        ({"type": "object", "default": object()}, "not JSON"),
        ({"type": "object", "properties": {"a": deep(40)}}, "deeper than"),
        ({"type": "object", "enum": list(range(30_000))}, "larger than"),
    ],
)
def test_schema_that_cannot_be_served_is_refused(schema: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        check_schema("tool 't'", schema)


def test_schema_of_the_conformance_suite_is_accepted() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"address": {"$anchor": "addressDef", "type": "object"}},
        "properties": {"address": {"$ref": "#/$defs/address"}, "phone": {"type": "string"}},
        "allOf": [{"anyOf": [{"required": ["phone"]}]}],
        "if": {"properties": {"phone": {"const": "x"}}},
        "then": {"required": ["phone"]},
        "additionalProperties": False,
    }
    assert check_schema("tool 't'", schema) is schema
