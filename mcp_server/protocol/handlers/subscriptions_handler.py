"""`subscriptions/listen`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol import params as read
from mcp_server.protocol.handlers.resources_handler import ResourcesHandler
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.jsonrpc.request_meta import SUBSCRIPTION_ID
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.sessions.connection import MAX_SUBSCRIPTIONS
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.subscription import Subscription
from mcp_server.security.security_chain import SecurityChain

LISTEN: Final = "subscriptions/listen"

_KINDS: Final = {"toolsListChanged": "tools", "promptsListChanged": "prompts", "resourcesListChanged": "resources"}


class SubscriptionsHandler:
    """Opens listeners. The request stays open; its result comes only when the server ends it.

    Each resource passes the chain like a read; those the caller may not read are left out of the acknowledgement.

    Source: MCP 2026-07-28, basic/utilities/subscriptions.

    Args:
        chain: Judges the resources asked for.
        resources: Plans the judging.
        registry: The revisions served.
        server_info: What the server calls itself.
    """

    def __init__(
        self,
        *,
        chain: SecurityChain,
        resources: ResourcesHandler,
        registry: RevisionRegistry,
        server_info: Mapping[str, Any],
    ) -> None:
        self._chain = chain
        self._resources = resources
        self._registry = registry
        self._server_info = server_info

    async def listen(self, exchange: Exchange) -> None:
        """Check, acknowledge, and listen from then on.

        Raises:
            ProtocolError: -32602, the filter is malformed.
            LimitExceededError: The connection listens to too much already.
            AuthenticationError: Nobody we know is calling.
        """
        connection = exchange.connection
        self._chain.view(connection.channel.credentials, method=exchange.method, request=exchange.request_id)
        wanted = read.mapping(exchange.params, "notifications")
        accepted: dict[str, Any] = {}
        kinds: set[str] = set()
        for name, kind in _KINDS.items():
            flag = wanted.get(name, False)
            if not isinstance(flag, bool):
                raise ProtocolError(ErrorCode.INVALID_PARAMS, f"params.notifications.{name} must be true or false")
            if flag:
                kinds.add(kind)
                accepted[name] = True
        uris = await self._permitted(exchange, wanted)
        if uris:
            accepted["resourceSubscriptions"] = uris
        listening = sum(1 + len(each.uris) for each in connection.subscriptions.values())
        if listening + 1 + len(uris) > MAX_SUBSCRIPTIONS:
            raise LimitExceededError("subscriptions", f"at most {MAX_SUBSCRIPTIONS} subscriptions; end some first")
        connection.subscriptions[exchange.request_id] = Subscription(
            request_id=exchange.request_id,
            revision=self._registry.modern(exchange.revision.date),
            kinds=frozenset(kinds),
            uris=frozenset(uris),
        )
        # The first message of a subscription must be its acknowledgement.
        connection.notify(
            "notifications/subscriptions/acknowledged",
            {"_meta": {SUBSCRIPTION_ID: exchange.request_id}, "notifications": accepted},
        )

    def end_result(self, subscription: Subscription) -> Mapping[str, Any]:
        """Return the result that ends a listener from the server's side."""
        result = {"_meta": {SUBSCRIPTION_ID: subscription.request_id}}
        return subscription.revision.project_result(LISTEN, result, server_info=self._server_info)

    async def _permitted(self, exchange: Exchange, wanted: Mapping[str, Any]) -> list[str]:
        uris = wanted.get("resourceSubscriptions", [])
        if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
            raise ProtocolError(
                ErrorCode.INVALID_PARAMS, "params.notifications.resourceSubscriptions must be a list of texts"
            )
        if len(uris) > MAX_SUBSCRIPTIONS:
            raise LimitExceededError("subscriptions", f"at most {MAX_SUBSCRIPTIONS} resources in one subscription")
        permitted: list[str] = []
        for uri in dict.fromkeys(uris):
            plan = self._resources.plan_listening(uri, lambda: None)
            try:
                await self._chain.run(exchange.connection.channel.credentials, plan, request=exchange.request_id)
            except MCPServerError:
                continue
            permitted.append(uri)
        return permitted
