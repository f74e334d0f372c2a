"""Who says where a handler runs."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from mcp_server.security.permissions.module_policy import ModulePolicy
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.apart.handler_place import HandlerPlace, executes
from mcp_server.tools.apart.runs_apart import runs_apart

Where = Literal["inline", "process"] | None


class Context:
    def __init__(self, where: Where) -> None:
        self._where = where
        self.isolates = where == "process"

    def module_policy(self, module: str) -> ModulePolicy:
        return ModulePolicy(self._where)


@pytest.mark.parametrize(
    "declared", [PermissionType.FILE_READ, PermissionType.CODE_EXECUTION, PermissionType.SYSTEM_COMMAND]
)
@pytest.mark.parametrize("author", [None, "inline", "process"])
@pytest.mark.parametrize("operator", [None, "inline", "process"])
def test_the_operator_comes_first_then_the_author_then_what_is_declared(
    operator: Where, author: Where, declared: PermissionType
) -> None:
    context: Any = Context(operator)
    found = runs_apart(HandlerPlace("m", "p", author, executes((Permission(declared, "**"),))), context)
    default = "inline" if declared is PermissionType.FILE_READ else "process"
    assert found is ((operator or author or default) == "process")
