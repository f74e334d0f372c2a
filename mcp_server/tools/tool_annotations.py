"""What a tool says of its own behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from mcp_server.errors.configuration_error import ConfigurationError

_MEMBERS: Final = {
    "title": "title",
    "readOnlyHint": "read_only",
    "destructiveHint": "destructive",
    "idempotentHint": "idempotent",
    "openWorldHint": "open_world",
}


@dataclass(frozen=True, slots=True)
class ToolAnnotations:
    """Hints for the client; only `read_only` means something here: no intent record is written for such a tool.

    A hint that is None is not sent, and the protocol's default holds.

    Args:
        title: A name for humans; the tool's own `title` is newer and preferred.
        read_only: The tool changes nothing.
        destructive: What it changes may be lost.
        idempotent: Calling it twice is calling it once.
        open_world: It talks to things outside.

    Source: MCP 2026-07-28, ToolAnnotations.

    >>> ToolAnnotations(read_only=True).to_wire()
    {'readOnlyHint': True}
    """

    title: str | None = None
    read_only: bool | None = None
    destructive: bool | None = None
    idempotent: bool | None = None
    open_world: bool | None = None

    @classmethod
    def of(cls, value: ToolAnnotations | Mapping[str, Any] | None) -> ToolAnnotations | None:
        """Return the value itself, or the annotations that a mapping in the protocol's spelling means.

        Raises:
            ConfigurationError: The mapping has a member that is no annotation.
        """
        if value is None or isinstance(value, ToolAnnotations):
            return value
        unknown = sorted(set(value) - set(_MEMBERS))
        if unknown:
            raise ConfigurationError(f"unknown tool annotation {unknown[0]!r}; known are {', '.join(_MEMBERS)}")
        return cls._of_members(value)

    @classmethod
    def _of_members(cls, value: Mapping[str, Any]) -> Self:
        return cls(**{_MEMBERS[member]: hint for member, hint in value.items()})

    def to_wire(self) -> dict[str, Any]:
        """Return the hints that were given, as the newest revision writes them."""
        pairs = ((member, getattr(self, name)) for member, name in _MEMBERS.items())
        return {member: hint for member, hint in pairs if hint is not None}
