"""What a handler's signature says."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, Self, get_args

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.docstrings import parse_docstring
from mcp_server.tools.function_parameter import FunctionParameter
from mcp_server.tools.markers.deletes import Deletes
from mcp_server.tools.markers.lists import Lists
from mcp_server.tools.markers.needs import Needs
from mcp_server.tools.markers.plain import Plain
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.markers.writes import Writes
from mcp_server.tools.unset import UNSET

_CLIENT: Final = "ClientContext"
_CLIENT_TEXT: Final = re.compile(r"(?:Optional\[)?(?:\w+\.)*ClientContext\]?(?:\s*\|\s*None)?")


@dataclass(frozen=True, slots=True)
class FunctionSignature:
    """The parameters a client fills in, the one that takes the context, the return type and the words about them.

    Args:
        parameters: The client's parameters, in order.
        client_parameter: The name of the parameter that takes the `ClientContext`, None when there is none.
        returns: The return type, resolved; UNSET when it is not said or cannot be resolved.
        description: The first paragraph of the docstring.
        place: Where the function stands, for messages: `module.function`.

    >>> def greet(name: str, client=None) -> str:
    ...     "Greet somebody."
    >>> signature = FunctionSignature.of(greet)
    >>> [parameter.name for parameter in signature.parameters], signature.client_parameter
    (['name'], 'client')
    """

    parameters: tuple[FunctionParameter, ...]
    client_parameter: str | None
    returns: Any
    description: str
    place: str

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """Everything the parameters' marks ask for."""
        return tuple(permission for parameter in self.parameters for permission in parameter.permissions)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Self:
        """Read a function's signature.

        String annotations (`from __future__ import annotations`) are resolved in the module that defines the function.

        Raises:
            ConfigurationError: A parameter has no type, or is of a kind that named arguments cannot fill.
            NameError: An annotation names what the defining module does not hold, or not yet.
        """
        plain = _plain_function(function)
        place = f"{plain.__module__}.{plain.__qualname__}"
        if inspect.isasyncgenfunction(plain) or inspect.isgeneratorfunction(plain):
            raise ConfigurationError(f"{place}: a handler returns its result; it does not yield")
        names: list[str] = []
        annotations: dict[str, Any] = {}
        defaults: dict[str, Any] = {}
        client: str | None = None
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                raise ConfigurationError(f"{place}: arguments are named; '{parameter}' cannot be filled by name")
            if _is_client(name, parameter.annotation, plain):
                client = name
                continue
            if parameter.annotation is parameter.empty:
                raise ConfigurationError(f"{place}: say the type of parameter '{name}'")
            names.append(name)
            annotations[name] = parameter.annotation
            defaults[name] = UNSET if parameter.default is parameter.empty else parameter.default
        hints = _resolve(annotations, plain)
        first, described = parse_docstring(function.__doc__, names)
        return cls(
            parameters=tuple(
                _parameter(name, hints[name], defaults[name], described.get(name), place) for name in names
            ),
            client_parameter=client,
            returns=_returns(plain),
            description=first,
            place=place,
        )


def _plain_function(function: Callable[..., Any]) -> Any:
    found: Any = function
    while hasattr(found, "func"):  # functools.partial
        found = found.func
    found = inspect.unwrap(getattr(found, "__func__", found))
    if not hasattr(found, "__globals__"):
        found = getattr(type(found).__call__, "__func__", type(found).__call__)
    if not hasattr(found, "__globals__"):
        raise ConfigurationError(f"a handler is a Python function, not {type(function).__name__}")
    return found


def _is_client(name: str, annotation: Any, plain: Any) -> bool:
    """Tell the context's parameter by its type, and by its name when the type is not said or cannot be known here.

    `ClientContext` is often imported for the type checker only, so its name in a string is enough.
    """
    if isinstance(annotation, str):
        if _CLIENT_TEXT.fullmatch(annotation.strip()):
            return True
        if name != "client":
            return False
        try:
            annotation = _resolve({name: annotation}, plain)[name]
        except NameError:
            return True
    if name == "client" and annotation in (inspect.Parameter.empty, Any):
        return True
    return any(getattr(part, "__name__", None) == _CLIENT for part in (annotation, *get_args(annotation)))


def _resolve(annotations: dict[str, Any], plain: Any) -> dict[str, Any]:
    holder: Any = SimpleNamespace(__annotations__=annotations)
    return typing.get_type_hints(holder, globalns=plain.__globals__, include_extras=True)


def _returns(plain: Any) -> Any:
    try:
        return _resolve({"return": plain.__annotations__["return"]}, plain)["return"]
    except (KeyError, NameError):
        # Imported for the type checker only: nothing is promised to clients then.
        return UNSET


def _parameter(name: str, annotation: Any, default: Any, description: str | None, place: str) -> FunctionParameter:
    permissions: list[Permission] = []
    is_plain = False
    for mark in getattr(annotation, "__metadata__", ()):
        value = mark() if mark in (Reads, Writes, Deletes, Lists, Plain) else mark
        if value is Needs:
            raise ConfigurationError(f"{place}: write Needs(PermissionType..., 'pattern') on parameter '{name}'")
        if isinstance(value, Plain):
            is_plain = True
        elif isinstance(value, (Reads, Writes, Deletes, Lists, Needs)):
            permissions.append(value.bind(name))
    return FunctionParameter(name, annotation, default, description, tuple(permissions), is_plain)
