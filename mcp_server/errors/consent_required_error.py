"""The policy says ask, and nobody who may answer said yes."""

from __future__ import annotations

from mcp_server.errors.permission_denied_error import PermissionDeniedError


class ConsentRequiredError(PermissionDeniedError):
    """A human has to agree first: declined, timed out, or there was nobody to ask.

    >>> ConsentRequiredError("declined", missing=[("FILE_WRITE", "a.md")]).missing
    (('FILE_WRITE', 'a.md'),)
    """
