"""One parameter of a handler."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.unset import UNSET


@dataclass(frozen=True, slots=True)
class FunctionParameter:
    """A parameter that the client fills in.

    Args:
        name: Its name.
        annotation: Its type, resolved, with everything `Annotated` adds.
        default: Its default; UNSET when there is none. It may be pydantic's `Field(...)`.
        description: What the docstring says of it.
        permissions: What its marks ask for, bound to it.
        is_plain: Whether it is marked as naming no resource.

    >>> FunctionParameter("lines", int, 5).is_required
    False
    """

    name: str
    annotation: Any
    default: Any = UNSET
    description: str | None = None
    permissions: tuple[Permission, ...] = ()
    is_plain: bool = False

    @property
    def has_field_default(self) -> bool:
        """Whether the default is pydantic's `Field(...)`; told by its name, so that pydantic is not imported here."""
        kind = type(self.default)
        return kind.__name__ == "FieldInfo" and kind.__module__.startswith("pydantic")

    @property
    def is_required(self) -> bool:
        """Whether a call must give it."""
        if self.has_field_default:
            return bool(self.default.is_required())
        return self.default is UNSET

    @property
    def plain_default(self) -> Any:
        """The default as a value; UNSET when there is none."""
        if self.has_field_default:
            return UNSET if self.default.is_required() else self.default.get_default(call_default_factory=True)
        return self.default
