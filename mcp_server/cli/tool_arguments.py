"""Arguments of a tool, as a terminal gives them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_server.errors.configuration_error import ConfigurationError


def read_pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Return the names and values of texts of the form key=value.

    Raises:
        ConfigurationError: One has another form.

    >>> read_pairs(["path=a=b"])
    [('path', 'a=b')]
    """
    return [_pair(text) for text in texts]


def typed_values(pairs: Sequence[tuple[str, str]], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments: texts where the tool's schema takes one, else what the JSON says.

    >>> typed_values([("a", "1"), ("b", "1")], {"properties": {"a": {"type": "string"}}})
    {'a': '1', 'b': 1}
    """
    properties = schema.get("properties", {})
    return {name: _value(properties.get(name, {}), text) for name, text in pairs}


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise ConfigurationError(f"{text!r} is no argument; write key=value")
    return name, value


def _value(schema: Any, text: str) -> Any:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "string" or (isinstance(kind, list) and "string" in kind):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
