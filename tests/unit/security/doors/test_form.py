from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.doors.form import Form


class Person(BaseModel):
    name: str
    age: int = 3


class Login(BaseModel):
    name: str
    word: SecretStr


class Nested(BaseModel):
    person: Person


def test_names_and_types_become_a_schema() -> None:
    form = Form({"name": str, "age": int, "height": float, "ok": bool, "size": ["S", "L"], "own": {"type": "string"}})
    assert form.schema["properties"] == {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "height": {"type": "number"},
        "ok": {"type": "boolean"},
        "size": {"type": "string", "enum": ["S", "L"]},
        "own": {"type": "string"},
    }
    assert form.schema["required"] == ["name", "age", "height", "ok", "size", "own"]


def test_a_schema_and_a_model_are_taken_as_they_are() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert Form(schema).schema == schema
    assert set(Form(Person).schema["properties"]) == {"name", "age"}
    assert Form(Person).schema["required"] == ["name"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        [],
        "name",
        None,
        {"a": object()},
        {"a": dict},
        {"a": {"type": "object"}},
        {"a": {"type": "null"}},
        {"a": {"type": ["string", "null"]}},
        {"a": {}},
        {"a": {"type": "array"}},
        {"a": {"type": "array", "items": "x"}},
        {"type": "object"},
        {"type": "object", "properties": {}},
        Nested,
    ],
)
def test_what_is_no_flat_form_is_refused(fields: Any) -> None:
    with pytest.raises(ConfigurationError):
        Form(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"password": str},
        {"Passphrase": str},
        {"passwd": str},
        {"pass_word": str},
        {"pwd": str},
        {"api_key": str},
        {"apiKey": str},
        {"API key": str},
        {"auth_token": str},
        {"client_secret": str},
        {"private_key": str},
        {"credentials": str},
        {"pin": str},
        {"pin_code": str},
        {"PIN": int},
        {"x": {"type": "string", "format": "password"}},
        {"x": {"type": "string", "title": "Your password"}},
        {"x": {"type": "string", "description": "Type your password here"}},
        Login,
    ],
)
def test_a_form_that_asks_for_a_secret_is_refused(fields: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret"):
        Form(fields)


@pytest.mark.parametrize("name", ["pint", "spin", "opinion", "passenger", "compass", "key", "monkey", "shipping"])
def test_a_word_that_only_looks_like_a_secret_is_none(name: str) -> None:
    assert Form({name: str}).schema["required"] == [name]


FORM = Form(
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 2, "maxLength": 4},
            "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "height": {"type": "number"},
            "ok": {"type": "boolean"},
            "size": {"type": "string", "enum": ["S", "L"]},
            "titled": {"type": "string", "oneOf": [{"const": "a", "title": "A"}]},
            "many": {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}},
            "few": {"type": "array", "items": {"anyOf": [{"const": "p"}]}},
        },
        "required": ["name"],
    }
)


@pytest.mark.parametrize(
    "content",
    [
        {"name": "Ada"},
        {
            "name": "Ada",
            "age": 3,
            "height": 1,
            "ok": False,
            "size": "S",
            "titled": "a",
            "many": ["x", "y"],
            "few": ["p"],
        },
        {"name": "Ada", "height": 1.5, "many": []},
    ],
)
def test_an_answer_that_fits(content: Any) -> None:
    assert FORM.problem(content) is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no object"),
        ([], "no object"),
        ({}, "'name' is missing"),
        ({"name": 1}, "is no string"),
        ({"name": "A"}, "too short"),
        ({"name": "Adalbert"}, "too short or too long"),
        ({"name": "Ada", "age": "3"}, "is no integer"),
        ({"name": "Ada", "age": True}, "is no integer"),
        ({"name": "Ada", "age": 1.5}, "is no integer"),
        ({"name": "Ada", "age": -1}, "too small"),
        ({"name": "Ada", "age": 151}, "too large"),
        ({"name": "Ada", "ok": 1}, "is no boolean"),
        ({"name": "Ada", "size": "M"}, "none of the choices"),
        ({"name": "Ada", "titled": "A"}, "none of the choices"),
        ({"name": "Ada", "many": "x"}, "not a list"),
        ({"name": "Ada", "many": ["z"]}, "not a list of the choices"),
        ({"name": "Ada", "few": ["q"]}, "not a list of the choices"),
        ({"name": "Ada", "admin": True}, "was not asked for"),
    ],
)
def test_an_answer_that_does_not_fit_is_told_why(content: Any, problem: str) -> None:
    assert problem in str(FORM.problem(content))
