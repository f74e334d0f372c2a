"""One thing that a handler may ask of a door from afar."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import to_json


@dataclass(frozen=True, slots=True)
class DoorMethod:
    """A method or value of a `ClientContext`, and the types of what is given to it.

    Args:
        name: Its path from the context, such as `files.read_text`; the context's own methods have no dot.
        parameters: The type of each parameter; bytes are in base64 on their way.
        is_async: Whether it is awaited.
        is_value: Whether it is no method.

    >>> DoorMethod.of("files.stat", path=str).read({"path": "a.txt"})
    {'path': 'a.txt'}
    """

    name: str
    parameters: Mapping[str, Any]
    is_async: bool = True
    is_value: bool = False

    @classmethod
    def of(cls, name: str, /, *, is_async: bool = True, is_value: bool = False, **parameters: Any) -> DoorMethod:
        """Return a method with parameters of these types; which of them must be given it says itself, when called."""
        return cls(name, parameters, is_async, is_value)

    def written(self, arguments: Mapping[str, Any]) -> bytes:
        """Return the arguments as JSON, a text where bytes are due as UTF-8; what `read` reads."""
        return to_json(
            {
                name: value.encode() if isinstance(value, str) and self._takes_bytes(name) else value
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
                is_encoded = isinstance(value, str) and self._takes_bytes(name)
                given = base64.b64decode(value, validate=True) if is_encoded else value
                found[name] = _validator(self.parameters[name]).validate_python(given, strict=True)
            except (TypeError, ValueError) as error:
                # pydantic's own error quotes what it was given, and no other process could make it again.
                raise ValueError(f"{self.name}: {name!r} is not of its type") from error
        return found

    def _takes_bytes(self, name: str) -> bool:
        return self.parameters.get(name) in (bytes, bytes | None)


@cache
def _validator(kind: Any) -> Any:
    # Where handlers run nothing is read, and so nothing of this imported.
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
