from __future__ import annotations

from mcp_server.errors.permission_denied_error import PermissionDeniedError


def test_everything_missing_is_listed() -> None:
    missing = [("FILE_READ", "a"), ("FILE_WRITE", "b")]
    error = PermissionDeniedError("no", missing=missing)
    missing.clear()
    assert error.missing == (("FILE_READ", "a"), ("FILE_WRITE", "b"))
    assert PermissionDeniedError("no").missing == ()
