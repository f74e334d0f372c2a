"""The mark of a parameter that names a directory the tool lists."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


@dataclass(frozen=True, slots=True)
class Lists:
    """The parameter names a directory the tool lists: it needs `DIRECTORY_LIST`, checked before the handler starts.

    Args:
        pattern: Which resources, relative to the client's folder; `*` stays inside a name, `**` crosses.

    >>> str(Lists("**").bind("path"))
    'DIRECTORY_LIST **'
    """

    pattern: str = "**"

    def bind(self, argument: str) -> Permission:
        """Return the permission, bound to the argument of that name."""
        return Permission(PermissionType.DIRECTORY_LIST, self.pattern, argument=argument)
