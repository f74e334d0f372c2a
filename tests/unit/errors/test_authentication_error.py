from __future__ import annotations

import pytest

from mcp_server.errors.authentication_error import AuthenticationError


@pytest.mark.parametrize("reason", ["no such client 'ada'", "the token has expired", ""])
def test_whatever_the_reason_the_message_is_the_same(reason: str) -> None:
    error = AuthenticationError(reason)
    assert str(error) == "not authenticated"
    assert error.reason == reason
    assert not reason or reason not in str(error) + repr(error)
