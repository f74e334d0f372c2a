"""Which language of patterns a kind of right has, where its resources are no paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.parts_pattern import PartsPattern
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern

# The languages that a policy may choose for a kind of right that a module brought.
TEXT: Final = "text"
PARTS: Final = "parts"
MATCHERS: Final = (TEXT, PARTS)

_S3: Final = (PermissionType.S3_READ, PermissionType.S3_WRITE)
_SQL: Final = (PermissionType.SQL_READ, PermissionType.SQL_WRITE)
_OF_PARTS: Final = frozenset((*_S3, *_SQL, PermissionType.DBUS_CALL))
# A bucket's name is a host's name, a schema's has no slash, and a bus is one of two.
_BUCKET: Final = re.compile(r"[a-z0-9.*?-]{1,63}|\{client\}", re.ASCII)
_BUSES: Final = ("session", "system", "*")


def compile_pattern(
    permission_type: PermissionType,
    text: str,
    *,
    client: str | None = None,
    matchers: Mapping[PermissionType, str] | None = None,
) -> ResourcePattern:
    """Return the compiled pattern of a rule or a declaration.

    Args:
        permission_type: A kind of right that is not about paths.
        text: The pattern.
        client: What `{client}` stands for, None where it stands for nothing.
        matchers: The languages of kinds of right that modules brought; texts where none is named.

    Raises:
        ConfigurationError: The pattern has a form that its kind of right does not know.

    >>> compile_pattern(PermissionType.NETWORK_CONNECT, "10.0.0.0/8:443").matches("10.1.2.3:443")
    True
    >>> compile_pattern(PermissionType.SYSTEM_COMMAND, "git *").matches("git status")
    True
    >>> compile_pattern(PermissionType.S3_READ, "reports/*.csv").matches("reports/2026/a.csv")
    False
    """
    if text == UNRESTRICTED:
        return ResourcePattern.compile(text, client=client)
    if permission_type == PermissionType.NETWORK_CONNECT:
        # On first use: most policies connect to nothing.
        from mcp_server.security.permissions.endpoint_pattern import EndpointPattern

        return EndpointPattern.compile(text, client=client)
    if permission_type in _OF_PARTS:
        pattern = PartsPattern.compile(text, client=client)
        if not pattern.is_everything:
            _check_parts(permission_type, text, text.split("/"))
        return pattern
    if matchers is not None and matchers.get(permission_type) == PARTS:
        return PartsPattern.compile(text, client=client)
    return ResourcePattern.compile(text, client=client)


def literal_pattern(permission_type: PermissionType, resource: str) -> str | None:
    """Return the text of the pattern that is about this resource alone, None when there is none.

    >>> literal_pattern(PermissionType.CODE_EXECUTION, "python"), literal_pattern(PermissionType.S3_READ, "a/b?")
    ('python', None)
    """
    try:
        pattern = compile_pattern(permission_type, resource)
    except ConfigurationError:
        return None
    is_alone = pattern.pieces == (resource,) and pattern.matches(resource) and resource == resource.strip()
    return resource if is_alone else None


def _check_parts(permission_type: PermissionType, text: str, parts: list[str]) -> None:
    if permission_type in _S3:
        if len(parts) < 2 or not _BUCKET.fullmatch(parts[0]) or parts[0] == "**":
            raise ConfigurationError(
                f"{text!r} must be written as bucket/key; 'bucket/**' is every key, and the bucket is always named"
            )
    elif permission_type in _SQL:
        if len(parts) != 3 or "**" in parts:
            raise ConfigurationError(
                f"{text!r} must be written as database/schema/table; 'app/public/*' is every table of a schema"
            )
    elif len(parts) < 4 or parts[0] not in _BUSES or "**" in (parts[1], *parts[-2:]):
        raise ConfigurationError(
            f"{text!r} must be written as bus/destination/path/interface/member, where the bus is session, system or "
            "'*', and '**' may stand in the path only"
        )
