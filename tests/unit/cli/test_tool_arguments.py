from __future__ import annotations

from typing import Any

import pytest

from mcp_server.cli.tool_arguments import read_pairs, typed_values
from mcp_server.errors.configuration_error import ConfigurationError


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "string"}, "3", "3"),
        ({"type": ["string", "null"]}, "null", "null"),
        ({"type": "integer"}, "3", 3),
        ({"type": "boolean"}, "true", True),
        ({"type": "array"}, '["a", 1]', ["a", 1]),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ({"type": "integer"}, "three", "three"),
        ({}, "plain", "plain"),
        (True, "3", 3),
    ],
)
def test_how_a_value_is_read(schema: Any, text: str, value: Any) -> None:
    assert typed_values([("a", text)], {"properties": {"a": schema}}) == {"a": value}


def test_an_argument_is_a_name_and_a_value() -> None:
    assert read_pairs(["a=b=c", "a="]) == [("a", "b=c"), ("a", "")]
    for text in ("a", "=b", ""):
        with pytest.raises(ConfigurationError, match="key=value"):
            read_pairs([text])


def test_an_argument_of_another_form_is_2(run: Any, server: tuple[str, ...]) -> None:
    assert run("call", "read_text_file", "plan.md", *server).code == 2


def test_what_the_schema_does_not_know_is_read_as_json_too() -> None:
    assert typed_values([("x", "[1]"), ("y", "a")], {}) == {"x": [1], "y": "a"}
