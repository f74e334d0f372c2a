from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission_type import PermissionType


def test_every_known_name_is_one_object() -> None:
    for name in PermissionType.names():
        assert PermissionType(name) is getattr(PermissionType, name)
        assert PermissionType(name) == name
        assert not PermissionType(name).is_custom


@pytest.mark.parametrize(
    "name", ["", "file_read", "FILE_READ ", "names", "__new__", "custom", "CUSTOM_", "CUSTOM_a", "CUSTOM_A\n"]
)
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="unknown permission type"):
        PermissionType(name)


@pytest.mark.parametrize("name", ["FILE_READ", "CUSTOM_", "PRINTER", "CUSTOM_" + "A" * 49])
def test_a_custom_type_has_its_form(name: str) -> None:
    with pytest.raises(ConfigurationError, match="custom permission type"):
        PermissionType.custom(name)


def test_custom_types_are_equal_by_name() -> None:
    printer = PermissionType.custom("CUSTOM_PRINTER")
    assert printer == PermissionType("CUSTOM_PRINTER")
    assert hash(printer) == hash(PermissionType("CUSTOM_PRINTER"))
    assert printer.is_custom
    assert not printer.is_path
    assert not printer.is_reading


def test_the_types_of_paths_and_of_reading() -> None:
    kinds = [PermissionType(name) for name in PermissionType.names()]
    assert {kind for kind in kinds if kind.is_path} == {
        "FILE_READ", "FILE_WRITE", "FILE_WRITE_GLOBAL", "FILE_DELETE", "DIRECTORY_LIST"
    }  # fmt: skip
    assert {kind for kind in kinds if kind.is_reading} == {
        "FILE_READ", "DIRECTORY_LIST", "SECRET_READ", "S3_READ", "SQL_READ"
    }  # fmt: skip
