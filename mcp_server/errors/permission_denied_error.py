"""The caller may not do this."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_server.errors.mcp_server_error import MCPServerError


class PermissionDeniedError(MCPServerError):
    """One or more permissions are missing; all of them are listed at once.

    Args:
        message: What was missing and who can grant it.
        missing: Pairs of permission type and resource, as the caller wrote the resource.

    >>> PermissionDeniedError("no", missing=[("FILE_READ", "a.key")]).missing
    (('FILE_READ', 'a.key'),)
    """

    def __init__(self, message: str, *, missing: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)
