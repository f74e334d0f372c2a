"""Looking into a parameter's type before any schema is made of it.

Registration must find wrong types and unguarded parameters, and must not pay for pydantic.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import typing
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.resource_names import looks_like_resource
from mcp_server.tools.tool_result import ToolResult

_MAX_DEPTH: Final = 4
# The standard modules whose classes pydantic can read from JSON.
_KNOWN_MODULES: Final = frozenset(
    "builtins datetime uuid pathlib decimal fractions ipaddress enum typing collections collections.abc re "
    "typing_extensions types annotated_types zoneinfo".split()
)


def suspicious_parameters(name: str, annotation: Any, place: str, depth: int = 0) -> Iterator[str]:
    """Yield the dotted names, at and below one parameter, that take text and look like a resource.

    Raises:
        ConfigurationError: A type cannot be read from JSON.

    >>> list(suspicious_parameters("path", list[str], "doc"))
    ['path']
    """
    if depth > _MAX_DEPTH:
        return
    takes_path = takes_text = False
    for leaf in _leaves(annotation, place):
        if isinstance(leaf, type) and issubclass(leaf, os.PathLike):
            takes_path = True
        elif leaf in (str, bytes, Any, object):
            takes_text = True
        for field_name, field_type in _fields(leaf):
            yield from suspicious_parameters(f"{name}.{field_name}", field_type, place, depth + 1)
    if takes_path or (takes_text and looks_like_resource(name.rpartition(".")[2])):
        yield name


def describes_object(annotation: Any) -> bool:
    """Whether a return type promises an object of known members, and so deserves an output schema.

    >>> describes_object(dict[str, int]), describes_object(str), describes_object(dict)
    (True, False, False)
    """
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (dict, typing.Mapping) or getattr(get_origin(annotation), "__name__", "") == "Mapping":
        arguments = get_args(annotation)
        return len(arguments) == 2 and arguments[1] is not Any
    if (
        not isinstance(annotation, type)
        or getattr(annotation, "is_content", False)
        or issubclass(annotation, ToolResult)
    ):
        # Content is no structured value, and a whole result says for itself what it holds.
        return False
    return (
        typing.is_typeddict(annotation) or dataclasses.is_dataclass(annotation) or hasattr(annotation, "model_fields")
    )


def _leaves(annotation: Any, place: str) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is None:
        if annotation is None or annotation is NoneType:
            return
        if isinstance(annotation, type) and not _is_known(annotation):
            raise ConfigurationError(
                f"{place}: a value of type {annotation.__qualname__} cannot be read from JSON; use a dataclass, a "
                "TypedDict, a pydantic model or plain types"
            )
        yield annotation
    elif origin is Literal:
        return
    elif origin is Annotated:
        yield from _leaves(get_args(annotation)[0], place)
    elif origin in (Union, UnionType):
        for part in get_args(annotation):
            yield from _leaves(part, place)
    else:
        if not _is_known(origin):
            raise ConfigurationError(f"{place}: a value of type {annotation} cannot be read from JSON")
        for part in get_args(annotation):
            if part is not Ellipsis:
                yield from _leaves(part, place)


def _is_known(kind: Any) -> bool:
    return (
        not isinstance(kind, type)
        or getattr(kind, "__module__", "") in _KNOWN_MODULES
        or issubclass(kind, (enum.Enum, os.PathLike))
        or dataclasses.is_dataclass(kind)
        or typing.is_typeddict(kind)
        or type(kind).__name__ == "_TypedDictMeta"  # typing_extensions' own, on older Pythons
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
        or hasattr(kind, "__pydantic_core_schema__")
        or hasattr(kind, "__get_pydantic_core_schema__")
    )


def _fields(leaf: Any) -> Iterator[tuple[str, Any]]:
    """Yield the members of a structured type; members whose types cannot be resolved are left to the schema builder."""
    if not isinstance(leaf, type) or leaf.__module__ == "builtins":
        return
    if not (
        dataclasses.is_dataclass(leaf)
        or hasattr(leaf, "model_fields")
        or hasattr(leaf, "__required_keys__")
        or hasattr(leaf, "_fields")
    ):
        return
    try:
        hints = typing.get_type_hints(leaf, include_extras=True)
    except NameError:
        return
    for name, hint in hints.items():
        if not name.startswith("_") and typing.get_origin(hint) is not typing.ClassVar and name != "model_config":
            yield name, hint
