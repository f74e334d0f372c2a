"""Who runs in a process of his own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_server.security.permissions.permission import Permission
from mcp_server.tools.apart.handler_place import EXECUTING, HandlerPlace

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext


def runs_apart(place: HandlerPlace, permissions: tuple[Permission, ...], context: ClientContext) -> bool:
    """Whether a handler runs in a process of its own: the policy says so, else the module, else what it declares.

    Args:
        place: Where it is.
        permissions: What it declares: what executes something runs apart unless somebody says otherwise.
        context: Of the call.
    """
    said = context.module_policy(place.module).isolation or place.isolation
    if said is None:
        return any(each.type in EXECUTING for each in permissions)
    return said == "process"
