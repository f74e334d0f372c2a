"""From a method to what serves it."""

from __future__ import annotations

from collections.abc import Iterable

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.revisions.revision import Revision
from mcp_server.protocol.route import Route


class RequestRouter:
    """Look a method up: it must be one of the revision, and this server must offer it.

    The method is looked up before its parameters are checked, so that a wrong name is told as such.

    Args:
        routes: Every method this server offers, in any revision.

    >>> from mcp_server.protocol.revisions.revision_2025_11_25 import Revision20251125
    >>> RequestRouter([Route("ping")]).route(Revision20251125(), "ping").method
    'ping'
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {route.method: route for route in routes}

    def route(self, revision: Revision, method: str) -> Route:
        """Return the route of `method`.

        Raises:
            ProtocolError: -32601, the revision or this server has no such method.
        """
        route = self._routes.get(method)
        if route is None or method not in revision.client_requests:
            raise ProtocolError(ErrorCode.METHOD_NOT_FOUND, f"unknown method {method[:64]!r}")
        return route
