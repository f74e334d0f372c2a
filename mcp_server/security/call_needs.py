"""What one call needs, found out without making it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.security.permissions.call_need import CallNeed
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED
from mcp_server.security.permissions.resource_patterns import compile_pattern

if TYPE_CHECKING:
    from mcp_server.resources.filesystem_manager import FileSystemManager
    from mcp_server.security.operation import Operation


def call_needs(operation: Operation, files: FileSystemManager | None) -> list[CallNeed]:
    """Return what the policy would be asked for before the operation's handler starts, in the chain's order.

    The chain does the same while it runs a call, and stops at the first text that names nothing; a test holds what both
    find against each other.

    Args:
        operation: The plan.
        files: The client's folders, None when it has none.
    """
    found = [
        CallNeed(each, each.type, UNRESTRICTED, UNRESTRICTED) for each in operation.permissions if not each.restricted
    ]
    return found + [_need(need.permission, need.text, files) for need in operation.needs]


def _need(permission: Permission, text: str, files: FileSystemManager | None) -> CallNeed:
    kind = permission.type
    if not kind.is_path:
        resource = text
        if kind == PermissionType.NETWORK_CONNECT:
            from mcp_server.security.permissions.endpoint_pattern import canonical_endpoint

            try:
                resource = canonical_endpoint(text)
            except ValueError as error:
                return CallNeed(permission, kind, text, "", f"it names no host and port: {error}")
        everything = permission.pattern in ("*", "**")
        is_declared = everything or compile_pattern(kind, permission.pattern).matches(resource)
        return CallNeed(permission, kind, text, resource, "" if is_declared else _undeclared(permission))
    if files is None:
        return CallNeed(permission, kind, text, "", "the client has no folder")
    try:
        location = files.locate(text)
    except SandboxViolationError as error:
        return CallNeed(permission, kind, text, "", str(error))
    if kind == PermissionType.FILE_WRITE and location.root.is_global:
        kind = PermissionType.FILE_WRITE_GLOBAL
    pattern = PathPattern.compile(permission.pattern)
    is_declared = permission.pattern == "**" or pattern.matches(
        location.absolute if pattern.is_absolute else location.relative
    )
    return CallNeed(permission, kind, text, location.absolute, "" if is_declared else _undeclared(permission))


def _undeclared(permission: Permission) -> str:
    return f"the tool is not declared to use it, only {str(permission)!r}"
