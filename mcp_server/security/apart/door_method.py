"""One thing that a handler may ask of a door from afar."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic_core import to_json


def _decoded(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("bytes are written in base64")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("bytes are written in base64") from error


Data: Final = Annotated[bytes, BeforeValidator(_decoded)]
"""Bytes, in base64 on their way."""


@dataclass(frozen=True, slots=True)
class DoorMethod:
    """A method or value of a `ClientContext`, and the types of what is given to it.

    Args:
        name: Its path from the context, such as `files.read_text`; the context's own methods have no dot.
        parameters: What reads each parameter.
        data: Which of them are bytes.
        is_async: Whether it is awaited.
        is_value: Whether it is no method.

    >>> DoorMethod.of("files.stat", path=str).read({"path": "a.txt"})
    {'path': 'a.txt'}
    """

    name: str
    parameters: Mapping[str, TypeAdapter[Any]]
    data: frozenset[str] = frozenset()
    is_async: bool = True
    is_value: bool = False

    @classmethod
    def of(cls, name: str, /, *, is_async: bool = True, is_value: bool = False, **parameters: Any) -> DoorMethod:
        """Return a method with parameters of these types; which of them must be given it says itself, when called."""
        data = frozenset(each for each, kind in parameters.items() if kind in (Data, Data | None))
        return cls(name, {each: TypeAdapter(kind) for each, kind in parameters.items()}, data, is_async, is_value)

    def written(self, arguments: Mapping[str, Any]) -> bytes:
        """Return the arguments as JSON, a text where bytes are due as UTF-8; what `read` reads."""
        return to_json(
            {
                name: value.encode() if isinstance(value, str) and name in self.data else value
                for name, value in arguments.items()
            },
            bytes_mode="base64",
        )

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments, checked; nothing is taken for what it is not.

        Raises:
            ValueError: One has another type, or there is no such parameter.
        """
        unknown = arguments.keys() - self.parameters.keys()
        if unknown:
            raise ValueError(f"{self.name} has no parameter {min(unknown)!r}")
        found: dict[str, Any] = {}
        for name, value in arguments.items():
            try:
                found[name] = self.parameters[name].validate_python(value, strict=True)
            except ValidationError as error:
                # Of a class of its own, which no other process could make again; and it quotes what it was given.
                raise ValueError(f"{self.name}: {name!r} is not of its type") from error
        return found
