"""JSON Schemas and validators for typed handlers, made by pydantic when they are first needed."""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.function_parameter import FunctionParameter
from mcp_server.tools.function_signature import FunctionSignature
from mcp_server.tools.portable_schema import portable_schema
from mcp_server.tools.type_walk import describes_object
from mcp_server.tools.unset import UNSET


class SchemaBuilder:
    """Builds what one typed handler needs: its input schema, its output schema and its validator.

    pydantic is imported by the first builder that is asked something, never before: a server answers `initialize`
    without it.

    Args:
        signature: The handler's signature.

    >>> def add(a: int, b: int = 2) -> int: ...
    >>> schema = SchemaBuilder(FunctionSignature.of(add)).input_schema()
    >>> schema["properties"]["b"], schema["required"]
    ({'type': 'integer', 'default': 2}, ['a'])
    """

    __slots__ = ("_adapter", "_signature")

    def __init__(self, signature: FunctionSignature) -> None:
        self._signature = signature
        self._adapter: Any = None

    def input_schema(self) -> dict[str, Any]:
        """Return the portable schema of the arguments.

        Raises:
            ConfigurationError: A parameter's type has no JSON form.
        """
        schema = portable_schema(self._translated(lambda: self._arguments().json_schema(mode="validation")))
        properties = schema.setdefault("properties", {})
        if properties.keys() != {parameter.name for parameter in self._signature.parameters}:
            # A permission is bound to the parameter's name; under an alias its value would pass unchecked.
            raise ConfigurationError(f"{self._signature.place}: a parameter cannot have an alias; rename it")
        for parameter in self._signature.parameters:
            node = properties[parameter.name]
            if parameter.description and "description" not in node:
                properties[parameter.name] = {"type": node["type"], "description": parameter.description, **node}
                node = properties[parameter.name]
            default = _json_default(parameter)
            if default is not UNSET and "default" not in node:
                node["default"] = default
        return {
            "type": "object",
            "properties": properties,
            **({"required": schema["required"]} if schema.get("required") else {}),
            "additionalProperties": False,
        }

    def output_schema(self) -> dict[str, Any] | None:
        """Return the portable schema of the result, None where the return type promises no object."""
        returns = self._signature.returns
        if returns is UNSET or not describes_object(returns):
            return None
        from pydantic import TypeAdapter

        made = TypeAdapter(_modern(returns))
        schema = portable_schema(self._translated(lambda: made.json_schema(mode="serialization")))
        return schema if schema.get("type") == "object" else None

    def validator(self) -> Callable[[bytes], dict[str, Any]]:
        """Return the function that turns the arguments, as JSON, into the handler's arguments.

        JSON is the right side to validate on: there a date, a UUID or a tuple can be told strictly, and `true` is
        never an integer. The function raises pydantic's `ValidationError`.
        """
        adapter = self._translated(self._arguments)
        validate: Callable[[bytes], dict[str, Any]] = adapter.validator.validate_json
        return validate

    def _arguments(self) -> Any:
        if self._adapter is None:
            from pydantic import ConfigDict, TypeAdapter
            from typing_extensions import TypedDict

            fields: dict[str, Any] = {}
            for parameter in self._signature.parameters:
                annotation = _modern(parameter.annotation)
                if parameter.has_field_default:
                    annotation = Annotated[annotation, parameter.default]
                # Absent stays absent: the function's own default then applies, untouched.
                fields[parameter.name] = annotation if parameter.is_required else NotRequired[annotation]
            # The functional form is the only one that takes names and types from outside; no type checker follows it.
            make: Any = TypedDict
            made = make("Arguments", fields)
            made.__pydantic_config__ = ConfigDict(
                extra="forbid",
                strict=True,
                allow_inf_nan=False,
                val_json_bytes="base64",
                ser_json_bytes="base64",
                hide_input_in_errors=True,
            )
            self._adapter = TypeAdapter(made)
        return self._adapter

    def _translated(self, make: Callable[[], Any]) -> Any:
        """Run pydantic, and say its refusals in this library's words."""
        from pydantic.errors import PydanticUserError
        from pydantic_core import SchemaError

        try:
            return make()
        except (PydanticUserError, SchemaError, NameError) as error:
            raise ConfigurationError(
                f"{self._signature.place}: no JSON Schema can be made of its types: {str(error).splitlines()[0]}"
            ) from error


def _json_default(parameter: FunctionParameter) -> Any:
    """Return the default as a JSON value; UNSET when there is none to tell or it has no JSON form."""
    default = parameter.plain_default
    if default is None or default is UNSET:
        return UNSET
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return to_jsonable_python(default, bytes_mode="base64")
    except PydanticSerializationError:
        return UNSET


def _modern(annotation: Any) -> Any:
    """Return the type with `typing.TypedDict` replaced by the form that pydantic demands before Python 3.12."""
    if sys.version_info >= (3, 12):
        return annotation
    if isinstance(annotation, type) and typing.is_typeddict(annotation):
        from typing_extensions import TypedDict

        if type(annotation).__module__ != "typing":
            return annotation
        hints = typing.get_type_hints(annotation, include_extras=True)
        required = getattr(annotation, "__required_keys__", frozenset(hints))
        members = {
            name: _modern(hint) if name in required else NotRequired[_modern(_bare(hint))]
            for name, hint in hints.items()
        }
        make: Any = TypedDict
        made = make(annotation.__name__, members)
        made.__doc__ = annotation.__doc__
        return made
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not arguments or origin is typing.Literal:
        return annotation
    if origin is Annotated:
        return Annotated[(_modern(arguments[0]), *annotation.__metadata__)]
    modern = tuple(_modern(argument) for argument in arguments)
    if modern == arguments:
        return annotation
    if origin in (Union, UnionType):
        return Union[modern]  # noqa: UP007 - the members are only known now
    return origin[modern]


def _bare(hint: Any) -> Any:
    """Return the type without `NotRequired[...]` or `Required[...]` around it."""
    return get_args(hint)[0] if get_origin(hint) in (typing.NotRequired, typing.Required) else hint
