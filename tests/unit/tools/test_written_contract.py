"""Validation against hand-written schemas."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.tools.written_contract import WrittenContract


def contract(properties: dict[str, Any] | None = None, **rest: Any) -> WrittenContract:
    schema = {"type": "object", **({} if properties is None else {"properties": properties}), **rest}
    return WrittenContract("tool 't'", schema)


def accepted(made: WrittenContract, arguments: dict[str, Any]) -> Any:
    return made.prepare(arguments, None)[0][1]


def refusal(made: WrittenContract, arguments: dict[str, Any]) -> str:
    with pytest.raises(InvalidArgumentsError) as caught:
        made.prepare(arguments, None)
    return str(caught.value)


def test_unknown_argument_is_refused_with_a_guess() -> None:
    assert refusal(contract({"text": {}}), {"txet": 1}) == "unknown argument 'txet'; did you mean 'text'?"


@pytest.mark.parametrize("rest", [{"additionalProperties": True}, {"additionalProperties": {"type": "integer"}}])
def test_schema_that_speaks_of_other_arguments_is_honoured(rest: Any) -> None:
    assert accepted(contract({"a": {}}, **rest), {"other": 1}) == {"other": 1}


def test_arguments_of_composed_schemas_are_known() -> None:
    made = contract(
        {"a": {}},
        allOf=[{"properties": {"b": {}}}, {"$ref": "#/$defs/c"}],
        **{"$defs": {"c": {"properties": {"c": {}}}}},
    )
    assert accepted(made, {"a": 1, "b": 1, "c": 1}) == {"a": 1, "b": 1, "c": 1}
    assert "unknown argument 'd'" in refusal(made, {"d": 1})


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"type": "integer"}, True, "'a' must be an integer"),
        ({"type": "integer"}, 1.5, "'a' must be an integer"),
        ({"type": ["string", "null"]}, 3, "'a' must be null or a text"),
        ({"type": "number", "minimum": 3}, 1, "'a' must be at least 3"),
        ({"type": "string", "maxLength": 2}, "secret", "'a' must have at most 2 characters"),
        ({"type": "string", "pattern": "^x"}, "secret", "'a' must match the pattern ^x"),
        ({"enum": ["x", "y"]}, "secret", "'a' must be one of 'x', 'y'"),
        ({"const": "x"}, "secret", "'a' must be the one allowed value"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "secret", "'a' fits none of the allowed forms"),
        ({"type": "array", "items": {"type": "integer"}}, ["secret"], "'a[0]' must be an integer"),
        ({"type": "object", "required": ["b"]}, {}, "'a.b' is missing"),
        (
            {"type": "object", "properties": {"c": {}}, "additionalProperties": False},
            {"b": "secret"},
            "'a.b' is unknown",
        ),
        ({"type": "array", "uniqueItems": True}, [1, 1], "'a' must not repeat an element"),
        ({"type": "array", "contains": {"const": 1}}, [2], "'a' breaks the rule 'contains'"),
    ],
)
def test_refusal_names_field_and_rule_and_never_the_value(schema: Any, value: Any, sentence: str) -> None:
    assert refusal(contract({"a": schema}), {"a": value}) == sentence


def test_several_problems_are_told_at_once() -> None:
    made = contract({"a": {"type": "integer"}, "b": {}}, required=["a", "b"])
    assert refusal(made, {"a": "x", "c": 1}) == "unknown argument 'c'; 'a' must be an integer; 'b' is missing" or (
        "'b' is missing" in refusal(made, {"a": "x", "c": 1})
    )


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("array", "[1, 2]", [1, 2]),
        ("object", '{"a": 1}', {"a": 1}),
        ("integer", "3", 3),
        ("number", "2.5", 2.5),
        ("number", "2", 2),
        ("boolean", "true", True),
    ],
)
def test_json_text_is_decoded_where_no_text_can_be_meant(kind: str, text: str, value: Any) -> None:
    arguments = {"a": text}
    assert accepted(contract({"a": {"type": kind}}), arguments) == {"a": value}
    assert arguments == {"a": text}


@pytest.mark.parametrize(
    ("schema", "text"),
    [({"type": "string"}, "[1]"), ({}, "[1]"), ({"type": ["string", "array"]}, "[1]"), ({"anyOf": [{}]}, "1")],
)
def test_text_that_looks_like_json_stays_text_where_text_can_be_meant(schema: Any, text: str) -> None:
    assert accepted(contract({"a": schema}), {"a": text}) == {"a": text}


@pytest.mark.parametrize(
    ("kind", "text"), [("integer", "true"), ("integer", "1.0"), ("array", "{}"), ("number", "NaN")]
)
def test_json_text_of_another_type_is_refused(kind: str, text: str) -> None:
    assert "must be" in refusal(contract({"a": {"type": kind}}), {"a": text})


def test_bound_argument_is_never_decoded() -> None:
    schema = {"type": "object", "properties": {"paths": {"type": "array"}}}
    made = WrittenContract("tool 't'", schema, bound=["paths"])
    assert refusal(made, {"paths": '["a"]'}) == "'paths' must be an array"


@pytest.mark.parametrize("value", ["\ud800", [{"x": "\udfff"}], {1: 2}, object(), float("nan")])
def test_what_is_no_json_is_refused(value: Any) -> None:
    assert refusal(contract({"a": {"type": "integer"}}), {"a": value})


def test_invalid_schema_is_found_when_it_is_compiled() -> None:
    with pytest.raises(ConfigurationError, match="not valid JSON Schema"):
        contract({"a": {"minimum": "x"}}).check()


def test_nothing_is_fetched() -> None:
    with pytest.raises(ConfigurationError):
        contract({"a": {"$ref": "https://example.org/schema"}}).check()


def test_output_is_measured() -> None:
    made = WrittenContract("tool 't'", {"type": "object"}, {"type": "object", "required": ["n"]})
    assert made.output_problems({"n": 1}) == []
    assert made.output_problems({}) == ["'n' is missing"]
