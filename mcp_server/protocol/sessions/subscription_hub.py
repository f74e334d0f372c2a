"""Who hears that something changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.protocol.jsonrpc.request_meta import SUBSCRIPTION_ID
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.subscription import Subscription

LIST_METHODS: Final = {
    "tools": "notifications/tools/list_changed",
    "prompts": "notifications/prompts/list_changed",
    "resources": "notifications/resources/list_changed",
}


class SubscriptionHub:
    """Tell every connection of changes, in its own era: sessions hear of lists unasked, listeners what they asked for.

    Rights are looked at again when something is told: a reload may have taken away what was granted at subscribing.

    Args:
        may_read: Whether the other end of a connection may still read a resource.
    """

    def __init__(self, *, may_read: Callable[[Connection, str], bool]) -> None:
        self._may_read = may_read
        self._connections: dict[Connection, None] = {}

    def add(self, connection: Connection) -> None:
        """Tell `connection` of changes from now on."""
        self._connections[connection] = None

    def remove(self, connection: Connection) -> None:
        """Tell it no more."""
        self._connections.pop(connection, None)

    @property
    def is_empty(self) -> bool:
        """Whether nobody is connected."""
        return not self._connections

    def changed(self, kind: str, uri: str | None = None) -> None:
        """Tell of a change.

        Args:
            kind: `tools`, `prompts` or `resources` for a list; `resource` for one resource.
            uri: The resource.
        """
        for connection in tuple(self._connections):
            if uri is None:
                self._list_changed(connection, kind)
            else:
                self._resource_updated(connection, uri)

    def _list_changed(self, connection: Connection, kind: str) -> None:
        session = connection.session
        if session is not None and session.is_initialized:
            connection.notify(LIST_METHODS[kind], None)
        for subscription in tuple(connection.subscriptions.values()):
            if kind in subscription.kinds:
                connection.notify(LIST_METHODS[kind], self._meta(subscription))

    def _resource_updated(self, connection: Connection, uri: str) -> None:
        session = connection.session
        hears_session = session is not None and session.is_initialized and uri in session.resource_uris
        listening = [each for each in connection.subscriptions.values() if uri in each.uris]
        if not hears_session and not listening:
            return
        try:
            if not self._may_read(connection, uri):
                return
        except MCPServerError:
            return
        if hears_session:
            connection.notify("notifications/resources/updated", {"uri": uri})
        for subscription in listening:
            connection.notify("notifications/resources/updated", {**self._meta(subscription), "uri": uri})

    @staticmethod
    def _meta(subscription: Subscription) -> dict[str, object]:
        return {"_meta": {SUBSCRIPTION_ID: subscription.request_id}}
