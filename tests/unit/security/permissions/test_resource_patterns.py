from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.endpoint_pattern import EndpointPattern
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern
from mcp_server.security.permissions.resource_patterns import compile_pattern, literal_pattern

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


@pytest.mark.parametrize(
    ("kind", "pattern", "resource", "answer"),
    [
        ("S3_READ", "reports/2026/*", "reports/2026/a.csv", True),
        ("S3_READ", "reports/*", "reports/2026/a.csv", False),
        ("S3_READ", "reports/**", "reports/2026/a.csv", True),
        ("S3_READ", "reports/**", "reports-old/a.csv", False),
        ("S3_WRITE", "log-*/**", "log-a/x", True),
        ("S3_READ", "*", "any/key", True),
        ("SQL_READ", "app/public/*", "app/public/orders", True),
        ("SQL_READ", "app/public/*", "app/private/orders", False),
        ("SQL_READ", "app/public/*", "app2/public/orders", False),
        ("SQL_WRITE", "app/*/audit_*", "app/x/audit_log", True),
        (
            "DBUS_CALL",
            "session/org.freedesktop.Notifications/org/freedesktop/Notifications/org.freedesktop.Notifications/Notify",
            "session/org.freedesktop.Notifications/org/freedesktop/Notifications/org.freedesktop.Notifications/Notify",
            True,
        ),
        ("DBUS_CALL", "session/org.a/**/org.a.I/*", "session/org.a/org/a/x/org.a.I/Get", True),
        ("DBUS_CALL", "session/org.a/**/org.a.I/*", "session/org.a/org.a.I/Get", True),
        ("DBUS_CALL", "session/org.a/**/org.a.I/*", "system/org.a/org/a/org.a.I/Get", False),
        ("DBUS_CALL", "session/org.a/**/org.a.I/*", "session/org.a/org/a/org.b.I/Get", False),
        ("DBUS_CALL", "session/org.a/**/org.a.I/*", "session/org.b/org.a/org.a.I/Get", False),
    ],
)
def test_keys_tables_and_members_are_matched_by_parts(kind: str, pattern: str, resource: str, answer: bool) -> None:
    assert compile_pattern(PermissionType(kind), pattern).matches(resource) is answer


@pytest.mark.parametrize(
    ("kind", "pattern", "message"),
    [
        ("S3_READ", "reports", "bucket/key"),
        ("S3_READ", "**/secret", "bucket is always named"),
        ("S3_READ", "Reports/x", "bucket/key"),
        ("SQL_READ", "app/public", "database/schema/table"),
        ("SQL_READ", "app/**", "database/schema/table"),
        ("SQL_READ", "app/public/a/b", "database/schema/table"),
        ("DBUS_CALL", "bus/org.a/x/org.a.I/M", "session, system"),
        ("DBUS_CALL", "session/org.a/M", "bus/destination"),
        ("DBUS_CALL", "session/org.a/x/org.a.I/**", "in the path only"),
        ("DBUS_CALL", "session/**/x/org.a.I/M", "in the path only"),
    ],
)
def test_a_pattern_in_another_form_is_refused_in_policy_and_declaration(kind: str, pattern: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        compile_pattern(PermissionType(kind), pattern)
    with pytest.raises(ConfigurationError, match=message):
        Permission(PermissionType(kind), pattern)
    assert Permission(PermissionType(kind)).pattern == "**"


@pytest.mark.parametrize(
    ("kind", "resource", "is_literal"),
    [
        ("CUSTOM_X", "a b", True),
        ("CUSTOM_X", "a*", False),
        ("CUSTOM_X", " a", False),
        ("S3_READ", "b/k", True),
        ("S3_READ", "b/k?", False),
        ("S3_READ", "b/k[1]", False),
        ("S3_READ", "b/../k", False),
        ("NETWORK_CONNECT", "a.org:443", True),
        ("NETWORK_CONNECT", "A.org:443", False),
        ("CODE_EXECUTION", "unrestricted", True),
    ],
)
def test_what_can_be_granted_alone_is_written_as_it_is(kind: str, resource: str, is_literal: bool) -> None:
    assert literal_pattern(PermissionType(kind), resource) == (resource if is_literal else None)
