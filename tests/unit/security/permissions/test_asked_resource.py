from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.asked_resource import asked_resource
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.permission_type import PermissionType

READ = PermissionType.FILE_READ


@pytest.mark.parametrize(
    ("folders", "text", "resource"),
    [
        (("/srv", "/more"), "a", "/srv/a"),
        (("/srv",), ".", "/srv"),
        (("/",), "a", "/a"),
        ((), "/a", "/a"),
        (("/srv",), "../a", "/srv/../a"),
    ],
)
def test_a_relative_path_lies_in_the_first_folder(folders: tuple[str, ...], text: str, resource: str) -> None:
    assert asked_resource(ClientProfile("ada", folders=folders), READ, text) == resource


def test_what_is_no_path_is_left_as_it_is_and_no_folder_holds_nothing() -> None:
    assert asked_resource(ClientProfile("ada"), PermissionType.CODE_EXECUTION, "python") == "python"
    with pytest.raises(ConfigurationError, match="no folder"):
        asked_resource(ClientProfile("ada"), READ, "a")
