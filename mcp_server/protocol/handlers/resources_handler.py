"""`resources/...`: lists, templates, reading, and the legacy subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.protocol import params as read
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.connection import MAX_SUBSCRIPTIONS
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.client_context import ClientContext
from mcp_server.security.operation import Operation
from mcp_server.security.security_chain import SecurityChain
from mcp_server.tools.published_resource_manager import PublishedResourceManager


class ResourcesHandler:
    """Plans reading of published resources and lists them.

    A subscription is planned like a read, for it tells when something that may be read changes.

    Source: MCP, server/resources.

    Args:
        resources: Finds resources and plans their reading.
        chain: Says what a caller may see.
        pages: Cuts lists into pages.
    """

    def __init__(self, *, resources: PublishedResourceManager, chain: SecurityChain, pages: ListPages) -> None:
        self._resources = resources
        self._chain = chain
        self._pages = pages

    def routes(self) -> tuple[Route, ...]:
        """Return the methods served here."""
        return (
            Route("resources/list", answer=self.list),
            Route("resources/templates/list", answer=self.list_templates),
            Route("resources/read", plan=self.plan_read, finish=self.finish_read, may_ask=True),
            Route("resources/subscribe", plan=self.plan_subscribe, finish=self.finish_empty),
            Route("resources/unsubscribe", answer=self.unsubscribe),
        )

    def list(self, exchange: Exchange) -> bytes:
        """Return a page of the resources the caller may read."""
        return self._list(
            exchange,
            "resources",
            self._resources.visible,
        )

    def list_templates(self, exchange: Exchange) -> bytes:
        """Return a page of the resource templates the caller may use."""
        return self._list(
            exchange,
            "resourceTemplates",
            self._resources.visible_templates,
        )

    def plan_read(self, exchange: Exchange) -> Callable[[Principal], Operation]:
        """Check the parameters' shape and return what draws the plan."""
        uri = read.text(exchange.params, "uri")
        return lambda principal: self._resources.plan_read(uri)

    def finish_read(self, exchange: Exchange, contents: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return the contents as the revision shapes them."""
        return exchange.project({"contents": list(contents)})

    def plan_subscribe(self, exchange: Exchange) -> Callable[[Principal], Operation]:
        """Return what plans a subscription: the rights of reading, the effect of taking note."""
        uri = read.text(exchange.params, "uri")
        return self.plan_listening(uri, lambda: self._note(exchange, uri))

    def plan_listening(self, uri: str, effect: Callable[[], None]) -> Callable[[Principal], Operation]:
        """Return what plans `effect` for a caller who may read `uri`."""

        async def execute(_: ClientContext) -> None:
            effect()

        return lambda principal: self._resources.plan_subscribe(uri)._replace(execute=execute)

    def finish_empty(self, exchange: Exchange, result: None) -> Mapping[str, Any]:
        """Return the empty result."""
        return exchange.project({})

    def unsubscribe(self, exchange: Exchange) -> Mapping[str, Any]:
        """Forget a subscription; one that does not exist is forgotten already."""
        uri = read.text(exchange.params, "uri")
        session = exchange.connection.session
        if session is not None:
            session.resource_uris.discard(uri)
        return exchange.project({})

    def _note(self, exchange: Exchange, uri: str) -> None:
        session = exchange.connection.session
        if session is None:
            return
        if uri not in session.resource_uris and len(session.resource_uris) >= MAX_SUBSCRIPTIONS:
            raise LimitExceededError("subscriptions", f"at most {MAX_SUBSCRIPTIONS} resources; unsubscribe from some")
        session.resource_uris.add(uri)

    def _list(
        self,
        exchange: Exchange,
        member: str,
        visible: Callable[[Callable[[Any], bool]], Sequence[Any]],
    ) -> bytes:
        view = self._chain.view(
            exchange.connection.channel.credentials, method=exchange.method, request=exchange.request_id
        )
        return self._pages.page(
            exchange=exchange,
            member=member,
            fingerprint=f"{view.fingerprint}.{self._resources.epoch}",
            entries=lambda: visible(lambda each: view.may_use("resources/read", each.name, each.permissions)),
        )
