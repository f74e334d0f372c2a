from __future__ import annotations

from mcp_server.security.permissions.need import Need
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType


def test_a_need_keeps_the_words_of_the_client() -> None:
    declared = Permission(PermissionType.FILE_READ, "*.txt", argument="path")
    assert Need(declared, "../A.txt").text == "../A.txt"
    assert Need(declared, "a") == Need(declared, "a")
