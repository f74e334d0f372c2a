"""The mark of a parameter that names a file the tool deletes."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


@dataclass(frozen=True, slots=True)
class Deletes:
    """The parameter names a file the tool deletes: it needs `FILE_DELETE`, checked before the handler starts.

    Args:
        pattern: Which resources, relative to the client's folder; `*` stays inside a name, `**` crosses.

    >>> str(Deletes("tmp/**").bind("path"))
    'FILE_DELETE tmp/**'
    """

    pattern: str = "**"

    def bind(self, argument: str) -> Permission:
        """Return the permission, bound to the argument of that name."""
        return Permission(PermissionType.FILE_DELETE, self.pattern, argument=argument)
