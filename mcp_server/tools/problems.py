"""Saying what is wrong with arguments: the field and the rule, never the value.

The sentences are our own. Those of the validators quote what they were given, and that may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mcp_server.tools.checks import did_you_mean

MAX_PROBLEMS: Final = 10
_MAX_OPTIONS: Final = 20
_MAX_NAME_CHARACTERS: Final = 64

_KIND_WORDS: Final = {
    "object": "an object",
    "array": "an array",
    "string": "a text",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_SCHEMA_RULES: Final = {
    "minimum": "must be at least {0}",
    "maximum": "must be at most {0}",
    "exclusiveMinimum": "must be above {0}",
    "exclusiveMaximum": "must be below {0}",
    "multipleOf": "must be a multiple of {0}",
    "minLength": "must have at least {0} characters",
    "maxLength": "must have at most {0} characters",
    "minItems": "must have at least {0} elements",
    "maxItems": "must have at most {0} elements",
    "minProperties": "must have at least {0} members",
    "maxProperties": "must have at most {0} members",
    "pattern": "must match the pattern {0}",
    "format": "must have the format {0}",
    "uniqueItems": "must not repeat an element",
}
_MODEL_RULES: Final = {
    "missing": "is missing",
    "missing_argument": "is missing",
    "missing_keyword_only_argument": "is missing",
    "extra_forbidden": "is unknown",
    "unexpected_keyword_argument": "is unknown",
    "unexpected_positional_argument": "has too many elements",
    "none_required": "must be null",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "greater_than": "must be above {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} elements",
    "too_long": "must have at most {max_length} elements",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "finite_number": "must be a finite number",
    "int_from_float": "must be an integer",
    "value_error": "breaks a rule of the tool",
    "assertion_error": "breaks a rule of the tool",
    "union_tag_not_found": "fits none of the allowed forms",
    "union_tag_invalid": "fits none of the allowed forms",
}
_MODEL_KINDS: Final = {
    "int": "must be an integer",
    "float": "must be a number",
    "bool": "must be true or false",
    "string": "must be a text",
    "list": "must be an array",
    "tuple": "must be an array",
    "set": "must be an array",
    "frozen": "must be an array",
    "iterable": "must be an array",
    "dict": "must be an object",
    "mapping": "must be an object",
    "model": "must be an object",
    "dataclass": "must be an object",
    "arguments": "must be an object",
    "datetime": "must be a date and time such as 2026-01-31T09:30:00Z",
    "date": "must be a date such as 2026-01-31",
    "time": "must be a time such as 09:30:00",
    "timezone": "must be a date and time of the demanded kind",
    "uuid": "must be a UUID",
    "bytes": "must be base64 text",
    "path": "must be a path",
    "url": "must be a URL",
    "decimal": "must be a decimal number",
}


def spell(path: Iterable[str | int]) -> str:
    """Write a place inside the arguments, such as `edits[0].path`.

    >>> spell(["edits", 0, "path"])
    'edits[0].path'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + part[:_MAX_NAME_CHARACTERS]
    return text


def unknown_arguments(unknown: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return a sentence for each unknown argument, with the name it was probably meant to be.

    >>> unknown_arguments(["pth"], ["path"])
    ["unknown argument 'pth'; did you mean 'path'?"]
    """
    names = sorted(known)
    return [
        f"unknown argument {name[:_MAX_NAME_CHARACTERS]!r}{did_you_mean(name, names)}"
        for name in sorted(unknown)[:MAX_PROBLEMS]
    ]


def schema_problem(error: Any) -> list[str]:
    """Return sentences for an error of the JSON Schema validator."""
    path, kind = list(error.instance_path), error.kind
    field = f"'{spell(path)}'" if path else "the arguments"
    rule = kind.name
    value = getattr(kind, "value", None)
    if rule == "required":
        return [f"'{spell([*path, str(value)])}' is missing"]
    if rule in ("additionalProperties", "unevaluatedProperties"):
        return [f"'{spell([*path, str(name)])}' is unknown" for name in list(value or ())[:MAX_PROBLEMS]]
    if rule == "type":
        names = [value] if isinstance(value, str) else list(value or ())
        return [f"{field} must be {' or '.join(_KIND_WORDS.get(name, name) for name in names)}"]
    if rule == "enum":
        return [f"{field} must be one of {_options(value if isinstance(value, (list, tuple)) else ())}"]
    if rule == "const":
        return [f"{field} must be the one allowed value"]
    template = _SCHEMA_RULES.get(rule)
    if template is not None:
        return [f"{field} " + template.format(value)]
    if rule in ("anyOf", "oneOf", "not", "if", "falseSchema"):
        return [f"{field} fits none of the allowed forms"]
    return [f"{field} breaks the rule '{rule}'"]


def model_problems(errors: Sequence[Mapping[str, Any]], arguments: Mapping[str, Any]) -> list[str]:
    """Return sentences for the errors of a pydantic validator.

    Args:
        errors: As pydantic lists them, without inputs.
        arguments: What was validated; used to tell names of fields from pydantic's names of branches.
    """
    problems: dict[str, None] = {}
    for error in errors:
        rule = str(error["type"])
        place = _place(error["loc"], arguments, keep_last=rule.startswith("missing"))
        field = f"'{spell(place)}'" if place else "the arguments"
        problems[f"{field} {_model_rule(rule, error.get('ctx', {}))}"] = None
    return list(problems)[:MAX_PROBLEMS]


def _model_rule(rule: str, context: Mapping[str, Any]) -> str:
    template = _MODEL_RULES.get(rule) or _MODEL_KINDS.get(rule.partition("_")[0])
    if template is None:
        return f"is not valid ({rule.replace('_', ' ')})"
    try:
        return template.format(**context)
    except (KeyError, IndexError):
        return "is not valid"


def _place(location: Sequence[str | int], arguments: Any, *, keep_last: bool) -> list[str | int]:
    place: list[str | int] = []
    node = arguments
    for index, part in enumerate(location):
        is_index = isinstance(node, list) and isinstance(part, int) and 0 <= part < len(node)
        if is_index or (isinstance(node, Mapping) and part in node):
            node = node[part]
        elif not (keep_last and index == len(location) - 1):
            continue  # the name of a union's branch, not of a field
        place.append(part)
    return place


def _options(options: Sequence[Any]) -> str:
    shown = ", ".join(repr(option) for option in options[:_MAX_OPTIONS])
    return shown if len(options) <= _MAX_OPTIONS else f"{shown}, ..."
