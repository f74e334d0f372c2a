from __future__ import annotations

from mcp_server.errors.already_locked_error import AlreadyLockedError
from mcp_server.errors.configuration_error import ConfigurationError


def test_it_is_a_configuration_that_another_directory_mends() -> None:
    error = AlreadyLockedError("in use", source="audit")
    assert isinstance(error, ConfigurationError)
    assert str(error) == "audit: in use"
