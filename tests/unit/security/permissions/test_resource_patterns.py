from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.endpoint_pattern import EndpointPattern
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern
from mcp_server.security.permissions.resource_patterns import compile_pattern

CONNECT = PermissionType.NETWORK_CONNECT


def test_connecting_has_a_language_of_its_own() -> None:
    assert isinstance(compile_pattern(CONNECT, "a.example:1"), EndpointPattern)
    assert compile_pattern(CONNECT, "{client}.example:1", client="ada").matches("ada.example:1")
    for kind in (PermissionType.SYSTEM_COMMAND, PermissionType.custom("CUSTOM_X")):
        assert type(compile_pattern(kind, "a.example")) is ResourcePattern


def test_leaving_the_sandbox_is_the_same_for_all() -> None:
    pattern = compile_pattern(CONNECT, UNRESTRICTED)
    assert type(pattern) is ResourcePattern
    assert pattern.matches(UNRESTRICTED)


def test_a_declaration_in_another_language_is_refused_where_it_stands() -> None:
    with pytest.raises(ConfigurationError, match="host:port"):
        Permission(CONNECT, "*.example.org")
    assert Permission(CONNECT, "*.example.org:443").pattern == "*.example.org:443"
