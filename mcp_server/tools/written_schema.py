"""Reading hand-written JSON Schemas: bounds and form at registration, without a validator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mcp_server.errors.configuration_error import ConfigurationError

# Far above what any model can use, far below what would hurt: the largest published tool schemas have some 300 nodes.
MAX_DEPTH: Final = 32
MAX_NODES: Final = 20_000

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
# The keywords whose subschemas see the very same object.
_IN_PLACE: Final = ("allOf", "anyOf", "oneOf")
_IN_PLACE_SINGLE: Final = ("if", "then", "else")
_DECODABLE: Final = {
    "array": (list,),
    "object": (dict,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def check_schema(what: str, schema: object, *, needs_object: bool = True) -> Mapping[str, Any]:
    """Return the schema, if its form and size are those of a schema this library serves.

    What only a validator can tell is told when the validator is built, at the first call.

    Args:
        what: The tool, for messages.
        schema: The schema as its author wrote it.
        needs_object: Whether the root must say `"type": "object"`, as input schemas must.

    Raises:
        ConfigurationError: It is too deep, too large, of another dialect, refers elsewhere, or has a keyword of the
            wrong form.

    Source: MCP 2026-07-28, server/tools, "Schema validation".
    """
    if not isinstance(schema, Mapping):
        raise ConfigurationError(f"{what}: a schema is a JSON object")
    if needs_object and schema.get("type") != "object":
        raise ConfigurationError(f'{what}: the root of an input schema says "type": "object"')
    dialect = schema.get("$schema")
    if dialect is not None and str(dialect).rstrip("#") != _DIALECT:
        raise ConfigurationError(f"{what}: schemas are JSON Schema 2020-12 ({_DIALECT}), not {dialect!r}")
    nodes = 0
    stack: list[tuple[Any, int]] = [(schema, 0)]
    while stack:
        node, depth = stack.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise ConfigurationError(f"{what}: the schema is deeper than {MAX_DEPTH} or larger than {MAX_NODES} nodes")
        kind = type(node)
        if kind is str or kind is bool or kind is int or kind is float or node is None:
            continue
        if kind is dict or isinstance(node, Mapping):
            if not all(isinstance(key, str) for key in node):
                raise ConfigurationError(f"{what}: the schema has a member whose name is no text")
            reference = node.get("$ref")
            if isinstance(reference, str) and not reference.startswith("#"):
                raise ConfigurationError(f"{what}: $ref {reference!r} leads elsewhere; nothing is fetched, inline it")
            stack.extend((child, depth + 1) for child in node.values())
        elif isinstance(node, (list, tuple)):
            stack.extend((child, depth + 1) for child in node)
        elif node is not None and not isinstance(node, (str, int, float, bool)):
            raise ConfigurationError(f"{what}: the schema holds a {type(node).__name__}, which is not JSON")
    _check_keywords(what, schema)
    return schema


def _check_keywords(what: str, schema: Mapping[str, Any]) -> None:
    declared = schema.get("type")
    for name in declared if isinstance(declared, (list, tuple)) else (declared,):
        if name is not None and (not isinstance(name, str) or name not in _TYPES):
            raise ConfigurationError(f"{what}: unknown type {name!r}; known are {', '.join(sorted(_TYPES))}")
    required = schema.get("required", ())
    if not isinstance(required, (list, tuple)) or not all(isinstance(name, str) for name in required):
        raise ConfigurationError(f"{what}: 'required' is an array of names")
    for keyword in ("properties", "patternProperties", "$defs"):
        children = schema.get(keyword, {})
        if not isinstance(children, Mapping):
            raise ConfigurationError(f"{what}: '{keyword}' is an object of schemas")
        for name, child in children.items():
            if isinstance(child, Mapping):
                _check_keywords(f"{what}: {keyword}.{name}", child)
            elif not isinstance(child, bool):
                raise ConfigurationError(f"{what}: {keyword}.{name} is a schema: an object, true or false")
    items = schema.get("items")
    if isinstance(items, Mapping):
        _check_keywords(f"{what}: items", items)
    elif items is not None and not isinstance(items, bool):
        raise ConfigurationError(f"{what}: 'items' is one schema; for tuples use 'prefixItems'")


def known_arguments(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the names of all arguments, or None when the schema itself says what becomes of others.

    >>> known_arguments({"type": "object", "properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}]}) == {"a", "b"}
    True
    """
    names: set[str] = set()
    for part in _in_place(schema, schema, 0):
        if any(word in part for word in ("additionalProperties", "unevaluatedProperties", "patternProperties")):
            return None
        names.update(part.get("properties", ()))
    return frozenset(names)


def _in_place(node: Any, root: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    if not isinstance(node, Mapping) or depth > MAX_DEPTH:
        return
    yield node
    for keyword in _IN_PLACE:
        for child in node.get(keyword, ()):
            yield from _in_place(child, root, depth + 1)
    for keyword in _IN_PLACE_SINGLE:
        yield from _in_place(node.get(keyword), root, depth + 1)
    for child in node.get("dependentSchemas", {}).values():
        yield from _in_place(child, root, depth + 1)
    if "$ref" in node:
        yield from _in_place(_target(root, node["$ref"]), root, depth + 1)


def _target(root: Mapping[str, Any], reference: Any) -> Any:
    node: Any = root
    for part in str(reference).removeprefix("#").split("/")[1:]:
        node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
    return None if node is root else node


def decodable_arguments(schema: Mapping[str, Any], *, bound: frozenset[str]) -> dict[str, tuple[type, ...]]:
    """Return the arguments whose type cannot be text, with the Python types a decoded JSON text may have for each.

    Models send `"[1, 2]"` where a list is due. An argument that a permission is bound to is never decoded: what is
    checked must be what was sent.

    >>> decodable_arguments({"properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}, bound=frozenset())
    {'n': (<class 'int'>,)}
    """
    found: dict[str, tuple[type, ...]] = {}
    for name, child in schema.get("properties", {}).items():
        if name in bound or not isinstance(child, Mapping):
            continue
        declared = child.get("type")
        if isinstance(declared, str):
            declared = (declared,)
        elif declared is None:
            branches = child.get("anyOf") or child.get("oneOf") or ()
            declared = [branch.get("type") if isinstance(branch, Mapping) else None for branch in branches]
            if not all(isinstance(word, str) for word in declared):
                continue
        if declared and "string" not in declared:
            found[name] = tuple(dict.fromkeys(kind for word in declared for kind in _DECODABLE[word]))
    return found


def default_of(schema: Mapping[str, Any], path: tuple[str, ...], missing: Any) -> Any:
    """Return the `default` that the schema gives at a dotted path, or `missing`.

    >>> default_of({"properties": {"path": {"default": "."}}}, ("path",), None)
    '.'
    """
    node: Any = schema
    for part in path:
        if part == "*" and isinstance(node, Mapping):
            node = node.get("items", node.get("additionalProperties"))
            continue
        while isinstance(node, Mapping) and isinstance(node.get("items"), Mapping) and "properties" not in node:
            node = node["items"]
        properties = node.get("properties") if isinstance(node, Mapping) else None
        node = properties.get(part) if isinstance(properties, Mapping) else None
    return node.get("default", missing) if isinstance(node, Mapping) else missing
