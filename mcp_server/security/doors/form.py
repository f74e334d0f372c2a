"""The form of a question, and whether an answer fits it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError

_SECRET: Final = re.compile(
    r"pass[ _-]?(word|wd|phrase|code)|pwd|secret|token|(api|private)[ _-]?key|credential|(?<![a-z])pin(?![a-z])",
    re.IGNORECASE,
)
_TYPES: Final[Mapping[str, Any]] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
_PYTHON: Final[Mapping[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Form:
    """A flat object of primitive fields, as elicitation allows it.

    Args:
        fields: The fields: a JSON schema of type object; or field names with a Python type (`str`, `int`, `float`,
            `bool`), a list of texts to choose from, or the field's own schema; or a pydantic model class.

    Raises:
        ConfigurationError: A field is not primitive, or asks for a secret, which a form must never do.

    Source: MCP 2025-11-25, client/elicitation, "Requested schema".

    >>> Form({"name": str, "size": ["S", "L"]}).schema["required"]
    ['name', 'size']
    """

    __slots__ = ("schema",)

    def __init__(self, fields: Any) -> None:
        self.schema: dict[str, Any] = self._schema(fields)
        properties = self.schema.get("properties")
        if self.schema.get("type") != "object" or not isinstance(properties, Mapping) or not properties:
            raise ConfigurationError("a form is an object with at least one field")
        for name, field in properties.items():
            self._check_field(name, field)

    def problem(self, content: Any) -> str | None:
        """Return what is wrong with an answer, or None when it fits."""
        if not isinstance(content, Mapping):
            return "the answer is no object"
        properties = self.schema["properties"]
        for name in self.schema.get("required", ()):
            if name not in content:
                return f"{name!r} is missing"
        for name, value in content.items():
            field = properties.get(name)
            if field is None:
                return f"{name!r} was not asked for"
            problem = self._value_problem(field, value)
            if problem:
                return f"{name!r} {problem}"
        return None

    @staticmethod
    def _schema(fields: Any) -> dict[str, Any]:
        if hasattr(fields, "model_json_schema"):
            return dict(fields.model_json_schema())
        if not isinstance(fields, Mapping):
            raise ConfigurationError("a form is written as a mapping of field names, or as a pydantic model")
        if fields.get("type") == "object":
            return dict(fields)
        properties: dict[str, Any] = {}
        for name, field in fields.items():
            if field in _PYTHON if isinstance(field, type) else False:
                properties[name] = {"type": _PYTHON[field]}
            elif isinstance(field, (list, tuple)):
                properties[name] = {"type": "string", "enum": list(field)}
            elif isinstance(field, Mapping):
                properties[name] = dict(field)
            else:
                raise ConfigurationError(f"field {name!r} is neither a primitive type, a list of choices nor a schema")
        return {"type": "object", "properties": properties, "required": list(properties)}

    @staticmethod
    def _check_field(name: str, field: Any) -> None:
        if not isinstance(field, Mapping) or field.get("type") not in (*_TYPES, "array"):
            raise ConfigurationError(f"field {name!r}: a form holds only texts, numbers, booleans and choices")
        if field.get("type") == "array" and not isinstance(field.get("items"), Mapping):
            raise ConfigurationError(f"field {name!r}: a list in a form must be a choice of texts")
        words = (name, str(field.get("title", "")), str(field.get("description", "")))
        if field.get("format") == "password" or any(_SECRET.search(each) for each in words):
            raise ConfigurationError(
                f"field {name!r} asks for a secret; a form must not, use a URL or a secret reference"
            )

    @staticmethod
    def _value_problem(field: Mapping[str, Any], value: Any) -> str | None:
        kind = field["type"]
        if kind == "array":
            choices = field["items"].get("enum") or [each.get("const") for each in field["items"].get("anyOf", ())]
            ok = isinstance(value, list) and all(each in choices for each in value)
            return None if ok else "is not a list of the choices"
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            return f"is no {kind}"
        choices = field.get("enum") or [each.get("const") for each in field.get("oneOf", ())]
        if choices and value not in choices:
            return "is none of the choices"
        if isinstance(value, str):
            if not field.get("minLength", 0) <= len(value) <= field.get("maxLength", len(value)):
                return "is too short or too long"
        elif not isinstance(value, bool) and not field.get("minimum", value) <= value <= field.get("maximum", value):
            return "is too small or too large"
        return None
