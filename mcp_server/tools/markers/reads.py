"""The mark of a parameter that names a file the tool reads."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


@dataclass(frozen=True, slots=True)
class Reads:
    """The parameter names a file the tool reads: it needs `FILE_READ`, checked before the handler starts.

    Args:
        pattern: Which resources, relative to the client's folder; `*` stays inside a name, `**` crosses.

    >>> str(Reads("**/*.md").bind("path"))
    'FILE_READ **/*.md'
    """

    pattern: str = "**"

    def bind(self, argument: str) -> Permission:
        """Return the permission, bound to the argument of that name."""
        return Permission(PermissionType.FILE_READ, self.pattern, argument=argument)
