"""A plan that only refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.security.operation import Operation
from mcp_server.security.permissions.permission import Permission

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext


def refusing(
    kind: str, name: str, permissions: tuple[Permission, ...], error: MCPServerError, *, module: str
) -> Operation:
    """Return a plan that raises `error` when it is carried out.

    Raised while the plan is drawn, it would tell a caller that something of this name exists.

    Args:
        kind: The protocol's method.
        name: What was asked for.
        permissions: What it declares, by which the chain decides whether the caller may know of it.
        error: The refusal.
        module: The module that offers it.
    """

    async def execute(_: ClientContext) -> None:
        raise error

    return Operation(kind=kind, name=name, execute=execute, permissions=permissions, has_effects=False, module=module)
