"""What a door asks before it opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


class AccessGate(Protocol):
    """Decides, for one running operation, whether a door may open on one resource."""

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        """Return when the operation declared the resource and the policy grants it; ask where the policy says ask.

        Args:
            permission_type: The kind of right.
            resource: The canonical resource: an absolute path for files.
            relative: The same, relative to the client's folder, for the tool's own declared patterns; `.` is the
                folder itself. None where there is no folder.

        Raises:
            PermissionDeniedError: It is not declared, not granted, or nobody agreed.
        """

    def allows(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        """Whether `require` would return without asking anybody: for filtering what a listing shows."""

    def could_allow(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        """Whether `require` would return, if need be after a human agreed."""

    async def require_all(
        self, wanted: Sequence[tuple[PermissionType, str, str | None, Permission | None]], *, about: str = ""
    ) -> None:
        """Return when all of `wanted` are permitted, after one question where the policy says ask.

        Args:
            wanted: Type, canonical resource, the resource relative to the client's folder, and None.
            about: A digest of what an answer is given for beyond the resources.

        Raises:
            PermissionDeniedError: Something of it is not; all that is missing is named.
        """
