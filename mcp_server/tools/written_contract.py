"""The contract of a tool whose schema its author wrote by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.tools.json_text import decode_texts
from mcp_server.tools.problems import unknown_arguments
from mcp_server.tools.schema_validator import SchemaValidator
from mcp_server.tools.written_schema import decodable_arguments, known_arguments

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext


class WrittenContract:
    """Keeps the schemas word for word, and calls the handler with `(client, params)`.

    The validators are compiled at the first call. An argument that the schema does not name is refused, unless the
    schema says by itself what becomes of such arguments.

    Args:
        what: The tool, for messages.
        input_schema: The schema of the arguments, already checked for its form.
        output_schema: The schema of the structured value.
        bound: The arguments that permissions are bound to: their texts are never decoded.
        defaults: Values that stand in for absent arguments; those of the bound ones, so that what was checked is used.

    >>> schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    >>> WrittenContract("tool 'double'", schema).prepare({"a": "4"}, None)
    ((None, {'a': 4}), {})
    """

    __slots__ = (
        "_decodable",
        "_defaults",
        "_input",
        "_is_valid",
        "_known",
        "_output",
        "_what",
        "has_output",
        "input_schema",
        "output_schema",
    )

    def __init__(
        self,
        what: str,
        input_schema: Mapping[str, Any],
        output_schema: Mapping[str, Any] | None = None,
        *,
        bound: Iterable[str] = (),
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self._what = what
        self.input_schema: Mapping[str, Any] = input_schema
        self.output_schema: Mapping[str, Any] | None = output_schema
        self.has_output: bool = output_schema is not None
        self._known = known_arguments(input_schema)
        self._decodable = decodable_arguments(input_schema, bound=frozenset(bound))
        self._defaults = dict(defaults) if defaults else None
        self._input: SchemaValidator | None = None
        self._is_valid: Callable[[Any], bool] = self._compile_and_check
        self._output: SchemaValidator | None = None

    def prepare(
        self, arguments: Mapping[str, Any], context: ClientContext | None
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Validate the arguments and return `(context, params)`; `params` is the handler's own copy.

        Raises:
            InvalidArgumentsError: They do not fit the schema.
        """
        params = dict(arguments)
        if self._defaults:
            params = {**self._defaults, **params}
        known = self._known
        try:
            # Texts are decoded only after a refusal: where a text is due, nothing is.
            if (known is None or params.keys() <= known) and (
                self._is_valid(params) or (decode_texts(params, self._decodable) and self._is_valid(params))
            ):
                return (context, params), {}
            problems = self._problems(params)
        except (UnicodeError, RecursionError, OverflowError, TypeError, ValueError) as error:
            # What the compiled validator cannot even read is no JSON that we would have let in.
            raise InvalidArgumentsError(["the arguments are not plain JSON"]) from error
        raise InvalidArgumentsError(problems)

    def output_problems(self, structured: Any) -> list[str]:
        """Return what is wrong with a structured value, measured by the output schema."""
        if self.output_schema is None:
            return []
        if self._output is None:
            self._output = SchemaValidator(self._what, self.output_schema)
        return [] if self._output.is_valid(structured) else self._output.problems(structured)

    def check(self) -> None:
        """Compile the schemas now.

        Raises:
            ConfigurationError: One of them is not valid.
        """
        self._compile()
        self.output_problems(None)

    def _compile(self) -> SchemaValidator:
        if self._input is None:
            self._input = SchemaValidator(self._what, self.input_schema)
            self._is_valid = self._input.is_valid
        return self._input

    def _compile_and_check(self, params: Any) -> bool:
        return self._compile().is_valid(params)

    def _problems(self, params: Mapping[str, Any]) -> list[str]:
        known = self._known
        if known is None:
            return self._compile().problems(params)
        unknown = params.keys() - known
        rest = {name: value for name, value in params.items() if name in known}
        return [*unknown_arguments(unknown, known), *self._compile().problems(rest)]
