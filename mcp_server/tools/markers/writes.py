"""The mark of a parameter that names a file the tool writes."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


@dataclass(frozen=True, slots=True)
class Writes:
    """The parameter names a file the tool writes: it needs `FILE_WRITE`, checked before the handler starts.

    Args:
        pattern: Which resources, relative to the client's folder; `*` stays inside a name, `**` crosses.

    >>> str(Writes("summaries/*.md").bind("path"))
    'FILE_WRITE summaries/*.md'
    """

    pattern: str = "**"

    def bind(self, argument: str) -> Permission:
        """Return the permission, bound to the argument of that name."""
        return Permission(PermissionType.FILE_WRITE, self.pattern, argument=argument)
