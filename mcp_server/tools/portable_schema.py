"""Rewriting pydantic's JSON Schema into the small subset that every client understands.

One exotic schema makes some clients drop all tools of a server. So: an object at the root, everything inline (no
`$ref`), no union at the root, a `type` on every node, enumerations of texts only, no `const`. What the subset cannot
say is left to the validator, which keeps every rule: the schema may promise more than is accepted, never less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_ALL_TYPES: Final = ["string", "number", "boolean", "object", "array", "null"]
_MAX_DEPTH: Final = 24

_KEPT: Final = frozenset(
    (
        "type description default enum minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength "
        "maxLength pattern minItems maxItems uniqueItems minProperties maxProperties required "
        "additionalProperties examples"
    ).split()
)
_FORMATS: Final = frozenset("date-time date time duration uuid email uri ipv4 ipv6".split())
_CONSTRAINTS: Final = frozenset(_KEPT - {"type", "description", "default", "examples", "required"}) | {
    "format",
    "properties",
    "items",
}


def portable_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema in the portable subset.

    >>> portable_schema({"type": "object", "properties": {"n": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}})
    {'type': 'object', 'properties': {'n': {'type': ['integer', 'null']}}}
    """
    return _node(schema, schema.get("$defs", {}), ())


def _node(node: Any, definitions: Mapping[str, Any], open_references: tuple[str, ...]) -> dict[str, Any]:
    if node is True or not isinstance(node, Mapping):
        return {"type": list(_ALL_TYPES)}
    reference = node.get("$ref")
    if reference is not None:
        name = str(reference).rpartition("/")[2]
        siblings = {key: value for key, value in node.items() if key != "$ref"}
        if name in open_references or len(open_references) > _MAX_DEPTH:
            # A type that contains itself cannot be written inline: here it is any value of its kind.
            target = definitions.get(name, {})
            cut: dict[str, Any] = {"type": target.get("type", list(_ALL_TYPES))}
            return cut | {key: siblings[key] for key in ("description", "default") if key in siblings}
        return _node({**definitions.get(name, {}), **siblings}, definitions, (*open_references, name))
    if "allOf" in node and len(node["allOf"]) == 1:
        return _node(
            {**node["allOf"][0], **{k: v for k, v in node.items() if k != "allOf"}}, definitions, open_references
        )
    branches = node.get("anyOf") or node.get("oneOf")
    if branches:
        return _union(node, [_node(branch, definitions, open_references) for branch in branches])
    result = {key: node[key] for key in _KEPT if key in node}
    if node.get("format") in _FORMATS:
        result["format"] = node["format"]
    if "const" in node:
        result["enum"] = [node["const"]]
    _type(result, node)
    _enumeration(result)
    _object(result, node, definitions, open_references)
    _array(result, node, definitions, open_references)
    if str(node.get("format", "")).startswith("base64") or node.get("contentEncoding") == "base64":
        result.setdefault("description", "base64")
    order = ("type", "description", "properties", "required", "additionalProperties", "items", "enum")
    return {key: result[key] for key in (*order, *sorted(result)) if key in result}


def _type(result: dict[str, Any], node: Mapping[str, Any]) -> None:
    if "type" in result:
        return
    if "enum" in result:
        found = list(dict.fromkeys(_type_name(option) for option in result["enum"]))
        result["type"] = found[0] if len(found) == 1 else found
    elif "properties" in node:
        result["type"] = "object"
    elif "items" in node or "prefixItems" in node:
        result["type"] = "array"
    else:
        result["type"] = list(_ALL_TYPES)


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, (list, tuple)) else "object"


def _enumeration(result: dict[str, Any]) -> None:
    """Keep enumerations of texts; say all others in words, for clients that refuse them."""
    options = result.get("enum")
    if options is None or all(isinstance(option, str) for option in options):
        return
    del result["enum"]
    words = f"one of {', '.join(map(repr, options))}" if len(options) > 1 else f"always {options[0]!r}"
    result["description"] = f"{result['description']} ({words})" if "description" in result else words


def _object(
    result: dict[str, Any], node: Mapping[str, Any], definitions: Mapping[str, Any], open_references: tuple[str, ...]
) -> None:
    if "properties" in node:
        result["properties"] = {
            name: _node(child, definitions, open_references) for name, child in node["properties"].items()
        }
    additional = result.get("additionalProperties")
    if isinstance(additional, Mapping):
        result["additionalProperties"] = _node(additional, definitions, open_references)
    if "patternProperties" in node:
        result.pop("additionalProperties", None)


def _array(
    result: dict[str, Any], node: Mapping[str, Any], definitions: Mapping[str, Any], open_references: tuple[str, ...]
) -> None:
    if "prefixItems" in node:
        # Positions cannot be said in the subset: an element is any of the tuple's types.
        elements = [_node(child, definitions, open_references) for child in node["prefixItems"]]
        if isinstance(node.get("items"), Mapping):
            elements.append(_node(node["items"], definitions, open_references))
        result["items"] = _union({}, elements)
    elif isinstance(node.get("items"), Mapping):
        result["items"] = _node(node["items"], definitions, open_references)
    elif result.get("type") == "array":
        result["items"] = {"type": list(_ALL_TYPES)}


def _union(node: Mapping[str, Any], branches: list[dict[str, Any]]) -> dict[str, Any]:
    """Join the branches of a union: one node with several types where they do not contradict, else a nested `anyOf`."""
    unique = [branch for index, branch in enumerate(branches) if branch not in branches[:index]]
    lists = ([branch["type"]] if isinstance(branch["type"], str) else branch["type"] for branch in unique)
    types = list(dict.fromkeys(name for names in lists for name in names))
    constrained = [branch for branch in unique if branch.keys() & _CONSTRAINTS]
    outer = {key: node[key] for key in ("description", "default", "examples") if key in node}
    if len(unique) == 1:
        return {**unique[0], **outer}
    if not constrained or (len(constrained) == 1 and _stands_alone(constrained[0], unique)):
        # A constraint of JSON Schema applies to its own type only, so it may stand beside other types.
        words = {key: value for branch in unique for key, value in branch.items() if key == "description"}
        merged = dict(constrained[0]) if constrained else words
        return {**merged, "type": types[0] if len(types) == 1 else types, **outer}
    return {"type": types, **outer, "anyOf": unique}


def _stands_alone(branch: dict[str, Any], branches: list[dict[str, Any]]) -> bool:
    """Whether the branch's constraints cannot touch a value meant for another branch."""
    own = _names(branch)
    others = {name for other in branches if other is not branch for name in _names(other)}
    numbers = {"integer", "number"}
    return "enum" not in branch and not own & others and not (own & numbers and others & numbers)


def _names(branch: Mapping[str, Any]) -> set[str]:
    declared = branch["type"]
    return {declared} if isinstance(declared, str) else set(declared)
