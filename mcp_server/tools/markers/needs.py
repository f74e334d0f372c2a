"""The mark of a parameter that names a resource of any kind."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


@dataclass(frozen=True, slots=True)
class Needs:
    """The parameter names a resource of the given kind; `Reads`, `Writes`, `Deletes` and `Lists` are shorter for files.

    Args:
        type: The kind of right.
        pattern: Which resources.

    >>> str(Needs(PermissionType.NETWORK_CONNECT, "*.example.org:443").bind("url"))
    'NETWORK_CONNECT *.example.org:443'
    """

    type: PermissionType
    pattern: str = "**"

    def bind(self, argument: str) -> Permission:
        """Return the permission, bound to the argument of that name."""
        return Permission(self.type, self.pattern, argument=argument)
