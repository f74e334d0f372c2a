"""One right that one call needs, in the form in which it is decided on."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


@dataclass(frozen=True, slots=True)
class CallNeed:
    """A kind of right on one canonical resource, or the reason why what the call names is none.

    Args:
        permission: The declaration it comes from.
        type: The kind of right that the policy is asked for.
        text: What the call names.
        resource: The canonical resource; empty when the text names none.
        problem: Why it names none, or why the declaration does not cover it; empty when it does.

    >>> CallNeed(Permission(PermissionType.FILE_READ), PermissionType.FILE_READ, "a", "/srv/a").is_decidable
    True
    """

    permission: Permission
    type: PermissionType
    text: str
    resource: str
    problem: str = ""

    @property
    def is_decidable(self) -> bool:
        """Whether there is something to ask the policy about."""
        return not self.problem
