"""One thing one call is about to touch."""

from __future__ import annotations

from typing import NamedTuple

from mcp_server.security.permissions.permission import Permission


class Need(NamedTuple):
    """A declared permission together with the value of the argument it is bound to; a named tuple, for calls make them.

    Args:
        permission: The declaration.
        text: The argument's value, as the client wrote it.

    >>> from mcp_server.security.permissions.permission_type import PermissionType
    >>> Need(Permission(PermissionType.FILE_READ, argument="path"), "a.txt").text
    'a.txt'
    """

    permission: Permission
    text: str
