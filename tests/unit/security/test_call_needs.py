from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.security.call_needs import call_needs
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from tests.security.chain.chain_rig import nothing, operation

READ, WRITE = PermissionType.FILE_READ, PermissionType.FILE_WRITE
CONNECT, CODE = PermissionType.NETWORK_CONNECT, PermissionType.CODE_EXECUTION
BELL = PermissionType.custom("CUSTOM_BELL")


@pytest.mark.parametrize(
    ("permission", "text", "kind", "resource", "problem"),
    [
        (Permission(READ, "**", argument="a"), "x/a.md", "FILE_READ", "{own}/x/a.md", ""),
        (Permission(READ, "*.md", argument="a"), "a.md", "FILE_READ", "{own}/a.md", ""),
        (Permission(READ, "*.md", argument="a"), "a.txt", "FILE_READ", "{own}/a.txt", "not declared"),
        (Permission(READ, "/srv/**", argument="a"), "a.md", "FILE_READ", "{own}/a.md", "not declared"),
        (Permission(READ, "**", argument="a"), "../a.md", "FILE_READ", "", "holds '..'"),
        (Permission(WRITE, "**", argument="a"), "a.md", "FILE_WRITE", "{own}/a.md", ""),
        (Permission(WRITE, "**", argument="a"), "{shared}/a.md", "FILE_WRITE_GLOBAL", "{shared}/a.md", ""),
        (Permission(BELL, "door-*", argument="a"), "door-1", "CUSTOM_BELL", "door-1", ""),
        (Permission(BELL, "door-*", argument="a"), "gate", "CUSTOM_BELL", "gate", "not declared"),
        (Permission(BELL, "**", argument="a"), "gate", "CUSTOM_BELL", "gate", ""),
        (Permission(CONNECT, "*", argument="a"), "https://A.org/x", "NETWORK_CONNECT", "a.org:443", ""),
        (Permission(CONNECT, "*", argument="a"), "a b", "NETWORK_CONNECT", "", "no host and port"),
    ],
)
def test_what_an_argument_names_is_found_as_the_chain_finds_it(
    tmp_path: Path, permission: Permission, text: str, kind: str, resource: str, problem: str
) -> None:
    places = {}
    for name in ("own", "shared"):
        (tmp_path / name).mkdir()
        places[name] = str((tmp_path / name).resolve())
    files = FileSystemManager(roots=[RootConfig(places["own"]), RootConfig(places["shared"], is_global=True)])
    plan = operation(nothing, permissions=(permission,), needs={permission: text.format(**places)})
    (need,) = call_needs(plan, files)
    files.close()
    assert (need.type, need.resource) == (kind, resource.format(**places))
    assert need.is_decidable is not bool(problem)
    assert problem in need.problem


def test_leaving_the_sandbox_is_a_need_of_its_own_and_no_folder_is_no_file() -> None:
    outside, read = Permission(CODE, restricted=False), Permission(READ, "**", argument="a")
    first, second = call_needs(operation(nothing, permissions=(outside, read), needs={read: "a"}), None)
    assert (first.type, first.resource, first.is_decidable) == (CODE, "unrestricted", True)
    assert "no folder" in second.problem
