"""Which language of patterns a kind of right has, where its resources are no paths."""

from __future__ import annotations

from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern


def compile_pattern(permission_type: PermissionType, text: str, *, client: str | None = None) -> ResourcePattern:
    """Return the compiled pattern of a rule or a declaration.

    Args:
        permission_type: A kind of right that is not about paths.
        text: The pattern.
        client: What `{client}` stands for, None where it stands for nothing.

    Raises:
        ConfigurationError: The pattern has a form that its kind of right does not know.

    >>> compile_pattern(PermissionType.NETWORK_CONNECT, "10.0.0.0/8:443").matches("10.1.2.3:443")
    True
    >>> compile_pattern(PermissionType.SYSTEM_COMMAND, "git *").matches("git status")
    True
    """
    if permission_type == PermissionType.NETWORK_CONNECT and text != UNRESTRICTED:
        # On first use: most policies connect to nothing.
        from mcp_server.security.permissions.endpoint_pattern import EndpointPattern

        return EndpointPattern.compile(text, client=client)
    return ResourcePattern.compile(text, client=client)
