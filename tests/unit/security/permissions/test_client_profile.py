from __future__ import annotations

import pytest

from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import ResourcePattern

WRITE, GLOBAL, READ = PermissionType.FILE_WRITE, PermissionType.FILE_WRITE_GLOBAL, PermissionType.FILE_READ


@pytest.mark.parametrize(
    ("path", "holding"),
    [
        ("/own", {WRITE, READ}),
        ("/own/a", {WRITE, READ}),
        ("/own/shared/a", {GLOBAL, READ}),
        ("/all", {GLOBAL, READ}),
        ("/all/mine/a", {WRITE, READ}),
        ("/own2/a", set()),
        ("/", set()),
    ],
)
def test_the_innermost_folder_decides_which_right_to_write_is_needed(path: str, holding: set[PermissionType]) -> None:
    profile = ClientProfile("ada", folders=("/own", "/all/mine"), global_folders=("/all", "/own/shared"))
    parts = tuple(part for part in path.split("/") if part)
    assert {kind for kind in (WRITE, GLOBAL, READ) if profile.holds(kind, parts)} == holding


def test_tools_are_shown_by_their_names() -> None:
    profile = ClientProfile("ada", tools=(ResourcePattern.compile("read_*"), ResourcePattern.compile("add")))
    assert [name for name in ("read_file", "add", "write_file", "Add") if profile.shows(name)] == ["read_file", "add"]
    assert not ClientProfile("ada", tools=()).shows("add")


def test_every_tool_is_shown_by_default() -> None:
    assert ClientProfile("ada").shows("unrestricted")
