"""Validation against a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, NoReturn

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.problems import MAX_PROBLEMS, schema_problem


class SchemaValidator:
    """A compiled JSON Schema 2020-12, that fetches nothing.

    Args:
        what: Whose schema it is, for messages.
        schema: The schema.

    Raises:
        ConfigurationError: It is not a valid schema.

    Source: MCP 2026-07-28, server/tools: external `$ref` are not fetched.

    >>> schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    >>> SchemaValidator("tool 'add'", schema).problems({"a": True})
    ["'a' must be an integer"]
    """

    __slots__ = ("_validator", "is_valid")

    def __init__(self, what: str, schema: Mapping[str, Any]) -> None:
        # Some tens of milliseconds to import: paid by the first call of the first tool with a written schema.
        import jsonschema_rs

        try:
            self._validator = jsonschema_rs.Draft202012Validator(_as_json(schema), retriever=_refuse)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise ConfigurationError(f"{what}: the schema is not valid JSON Schema 2020-12: {error}") from error
        self.is_valid = self._validator.is_valid

    def problems(self, value: Any) -> list[str]:
        """Return a sentence for each problem, an empty list when the value is valid."""
        found = {
            sentence: None
            for error in islice(self._validator.iter_errors(value), MAX_PROBLEMS)
            for sentence in schema_problem(error)
        }
        return list(found)


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is elsewhere, and nothing is fetched")


def _as_json(node: Any) -> Any:
    """Return plain dicts and lists, the only containers the compiled validator reads."""
    if isinstance(node, Mapping):
        return {key: _as_json(child) for key, child in node.items()}
    if isinstance(node, (list, tuple)):
        return [_as_json(child) for child in node]
    return node
