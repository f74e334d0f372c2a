from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


def test_the_positional_form() -> None:
    permission = Permission(PermissionType.FILE_READ, "*.txt")
    assert (permission.pattern, permission.arguments, permission.restricted) == ("*.txt", (), True)
    assert str(permission) == "FILE_READ *.txt"


def test_a_name_becomes_a_type() -> None:
    assert Permission("FILE_READ").type is PermissionType.FILE_READ  # type: ignore[arg-type]  # what is being tested


def test_arguments_are_one_or_several() -> None:
    assert Permission(PermissionType.FILE_READ, argument="a.b").arguments == ("a.b",)
    assert Permission(PermissionType.FILE_READ, argument=("a", "b")).arguments == ("a", "b")


@pytest.mark.parametrize("settings", [{"pattern": ""}, {"argument": ""}, {"argument": ("a", "")}])
def test_empty_words_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="empty"):
        Permission(PermissionType.FILE_READ, **settings)  # type: ignore[arg-type]  # what is being tested


def test_a_pointer_and_a_dotted_path_are_one_declaration() -> None:
    read = PermissionType.FILE_READ
    assert Permission(read, argument="/a/b") == Permission(read, argument="a.b")
    assert Permission(read, argument=("/edits/*/path", "c")).arguments == ("edits.*.path", "c")


@pytest.mark.parametrize("pointer", ["/", "//a", "/a/", "/*", "/a.b", "/a~1b", "/a//b"])
def test_a_pointer_that_leads_nowhere_is_refused(pointer: str) -> None:
    with pytest.raises(ConfigurationError, match="the pointer"):
        Permission(PermissionType.FILE_READ, argument=pointer)
