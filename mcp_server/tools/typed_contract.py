"""The contract of a typed handler."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticSerializationError, ValidationError, to_json

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.tools.function_signature import FunctionSignature
from mcp_server.tools.json_text import decode_texts
from mcp_server.tools.problems import model_problems, unknown_arguments
from mcp_server.tools.schema_builder import SchemaBuilder
from mcp_server.tools.schema_validator import SchemaValidator
from mcp_server.tools.type_walk import describes_object
from mcp_server.tools.unset import UNSET
from mcp_server.tools.written_schema import decodable_arguments

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext


class TypedContract:
    """Derives the schemas from a signature, and calls the handler with named arguments.

    The schemas are made when they are first listed, the validator at the first call.

    Args:
        what: The tool, for messages.
        signature: The handler's signature.
        bound: The arguments that permissions are bound to: their texts are never decoded.
        paths: Those of them whose permission is about files: a `Path` among them arrives absolute, as the sandbox
            understood it.
        output_schema: The author's own output schema, instead of the one of the return type.

    >>> def double(a: int) -> int: ...
    >>> TypedContract("tool 'double'", FunctionSignature.of(double)).prepare({"a": "4"}, None)
    ((), {'a': 4})
    """

    __slots__ = (
        "_bound",
        "_builder",
        "_decodable",
        "_input_schema",
        "_known",
        "_output",
        "_output_schema",
        "_paths",
        "_signature",
        "_validate",
        "_what",
        "has_output",
    )

    def __init__(
        self,
        what: str,
        signature: FunctionSignature,
        *,
        bound: Iterable[str] = (),
        paths: Iterable[str] = (),
        output_schema: Mapping[str, Any] | None = None,
    ) -> None:
        self._what = what
        self._signature = signature
        self._builder = SchemaBuilder(signature)
        self._bound = frozenset(bound)
        file_bound = frozenset(paths)
        self._paths = tuple((item.name, item.plain_default) for item in signature.parameters if item.name in file_bound)
        self._known = frozenset(parameter.name for parameter in signature.parameters)
        self._input_schema: Mapping[str, Any] | None = None
        self._output_schema: Mapping[str, Any] | None = output_schema
        self.has_output: bool = output_schema is not None or (
            signature.returns is not UNSET and describes_object(signature.returns)
        )
        self._decodable: Mapping[str, tuple[type, ...]] | None = None
        self._validate: Any = None
        self._output: SchemaValidator | None = None

    @property
    def input_schema(self) -> Mapping[str, Any]:
        """The schema of the arguments, in the portable subset."""
        if self._input_schema is None:
            self._input_schema = self._builder.input_schema()
        return self._input_schema

    @property
    def output_schema(self) -> Mapping[str, Any] | None:
        """The schema of the structured value, None when the return type promises no object."""
        if self._output_schema is None and self.has_output:
            self._output_schema = self._builder.output_schema()
            self.has_output = self._output_schema is not None
        return self._output_schema

    def prepare(
        self, arguments: Mapping[str, Any], context: ClientContext | None
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Validate the arguments and return the handler's named ones.

        Raises:
            InvalidArgumentsError: They do not fit.
        """
        if self._validate is None:
            self._build()
        named = self._validated(arguments)
        for name, default in self._paths:
            self._resolve(name, default, arguments, named, context)
        if self._signature.client_parameter is not None:
            named[self._signature.client_parameter] = context
        return (), named

    def output_problems(self, structured: Any) -> list[str]:
        """Return what is wrong with a structured value, measured by the output schema."""
        schema = self.output_schema
        if schema is None:
            return []
        if self._output is None:
            self._output = SchemaValidator(self._what, schema)
        return [] if self._output.is_valid(structured) else self._output.problems(structured)

    def check(self) -> None:
        """Build schemas and validators now.

        Raises:
            ConfigurationError: A type has no JSON form.
        """
        self._build()
        self.output_problems(None)

    def _build(self) -> None:
        self._decodable = decodable_arguments(self.input_schema, bound=self._bound)
        self._validate = self._builder.validator()

    def _validated(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        values = arguments
        try:
            try:
                return self._validate(to_json(arguments))  # type: ignore[no-any-return]
            except ValidationError:
                # Texts are decoded only after a refusal: where a text is due, nothing is.
                values = dict(arguments)
                if not decode_texts(values, self._decodable or {}):
                    raise
            return self._validate(to_json(values))  # type: ignore[no-any-return]
        except ValidationError as error:
            raise InvalidArgumentsError(self._problems(error, values)) from None  # it quotes the values
        except (PydanticSerializationError, UnicodeError, RecursionError, ValueError) as error:
            raise InvalidArgumentsError(["the arguments are not plain JSON"]) from error

    def _problems(self, error: ValidationError, values: Mapping[str, Any]) -> list[str]:
        unknown = values.keys() - self._known
        listed = error.errors(include_url=False, include_input=False)
        rest = [entry for entry in listed if not (len(entry["loc"]) == 1 and entry["loc"][0] in unknown)]
        return [*unknown_arguments(unknown, self._known), *model_problems(rest, values)]

    def _resolve(
        self,
        name: str,
        default: Any,
        arguments: Mapping[str, Any],
        named: dict[str, Any],
        context: ClientContext | None,
    ) -> None:
        """Give the handler the path that was checked: made absolute from the client's own words, not from a copy."""
        value = named.get(name, default)
        if context is None or value is UNSET:
            return
        if isinstance(value, Path):
            named[name] = Path(context.resolve_path(str(arguments.get(name, default))))
        elif isinstance(value, (list, tuple)) and value and all(isinstance(item, Path) for item in value):
            words = arguments.get(name, default)
            named[name] = type(value)(Path(context.resolve_path(str(word))) for word in words)
