from __future__ import annotations

from mcp_server.errors.consent_required_error import ConsentRequiredError
from mcp_server.errors.permission_denied_error import PermissionDeniedError


def test_it_is_a_denial_that_a_human_could_lift() -> None:
    error = ConsentRequiredError("declined", missing=[("FILE_WRITE", "a.md")])
    assert isinstance(error, PermissionDeniedError)
    assert error.missing == (("FILE_WRITE", "a.md"),)
