"""Who runs in a process of his own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.apart.handler_place import HandlerPlace


def runs_apart(place: HandlerPlace, context: ClientContext) -> bool:
    """Whether a handler runs in a process of its own: the policy says so, else the module, else what it declares.

    Args:
        place: Where it is.
        context: Of the call.
    """
    is_apart = place.is_apart
    if not is_apart and not context.isolates:
        return False
    said = context.module_policy(place.module).isolation
    return is_apart if said is None else said == "process"
