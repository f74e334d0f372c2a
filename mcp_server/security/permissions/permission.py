"""What a tool declares that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission_type import PermissionType


@dataclass(frozen=True, slots=True)
class Permission:
    """A declared need: a kind of right, on which resources, and which argument names the resource.

    With `argument` it is *bound*: the argument's value is checked before the handler starts, and again at the door.
    Without, it is an upper limit for what the handler may use through its `ClientContext`.

    Args:
        type: The kind of right.
        pattern: Which resources: for files relative to the client's folder, `*` stays inside a name, `**` crosses.
        argument: The argument (or arguments) that name the resource; a dotted path reaches into objects, and every
            element of a list is checked. A JSON pointer does the same, `/edits/*/path`, where `*` is every element of
            a list or every member of an object. An absent optional argument needs nothing.
        restricted: False *asks* for execution outside the sandbox; refused unless the policy grants exactly that.
        optional: The tool is of use without it: who is not granted it sees the tool all the same.

    Raises:
        ConfigurationError: The pattern is empty, or of a form that its kind of right does not know, or an argument's
            name is empty.

    >>> Permission(PermissionType.FILE_READ, "*.txt", argument="path").arguments
    ('path',)
    """

    type: PermissionType
    pattern: str = "**"
    argument: str | tuple[str, ...] | None = field(default=None, kw_only=True)
    restricted: bool = field(default=True, kw_only=True)
    optional: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", PermissionType(self.type))
        if not self.pattern or not isinstance(self.pattern, str):
            raise ConfigurationError(f"{self.type}: the pattern must be a text that is not empty")
        if not (self.type.is_path or self.type.is_custom):
            # A pattern that is wrong hides its tool from everybody: better said where it stands.
            from mcp_server.security.permissions.resource_patterns import compile_pattern

            compile_pattern(self.type, self.pattern)
        if any(name.startswith("/") for name in self.arguments):
            # Kept in one form, so that whoever looks for an argument looks for one text.
            dotted = tuple(_dotted(self.type, name) for name in self.arguments)
            object.__setattr__(self, "argument", dotted[0] if isinstance(self.argument, str) else dotted)
        if not all(self.arguments):
            raise ConfigurationError(f"{self.type}: the name of a bound argument is empty")

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the bound arguments, empty when unbound."""
        if self.argument is None:
            return ()
        return (self.argument,) if isinstance(self.argument, str) else tuple(self.argument)

    def __str__(self) -> str:
        return f"{self.type} {self.pattern}"


def _dotted(permission_type: PermissionType, name: str) -> str:
    """Return a JSON pointer as a dotted path; what is none is returned as it is.

    Source: RFC 6901; of its escapes there are none, for a name with a slash, a dot or a tilde has no dotted path.
    """
    if not name.startswith("/"):
        return name
    parts = name[1:].split("/")
    if not all(parts) or parts[0] == "*" or any("." in part or "~" in part for part in parts):
        raise ConfigurationError(
            f"{permission_type}: the pointer {name!r} must be /argument, /argument/member or /argument/*/member, with "
            "no dot and no tilde in a name"
        )
    return ".".join(parts)
