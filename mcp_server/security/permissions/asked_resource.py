"""From what a person writes to the resource that the policy is asked about."""

from __future__ import annotations

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.permission_type import PermissionType


def asked_resource(profile: ClientProfile, permission_type: PermissionType, text: str) -> str:
    """Return the resource: for paths, what is not absolute lies in the client's first folder, and `.` is that folder.

    Raises:
        ConfigurationError: The path is relative, and the client has no folder.

    >>> asked_resource(ClientProfile("ada", folders=("/srv",)), PermissionType.FILE_READ, "a.md")
    '/srv/a.md'
    """
    if not permission_type.is_path or text.startswith("/"):
        return text
    if not profile.folders:
        raise ConfigurationError(f"client {profile.name!r} has no folder; give an absolute path")
    folder = profile.folders[0]
    return folder if text == "." else f"{folder.rstrip('/')}/{text}"
