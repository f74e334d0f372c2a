"""`resources/...`: lists, templates, reading, and the legacy subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.protocol import params as read
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.connection import MAX_SUBSCRIPTIONS
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.client_context import ClientContext
from mcp_server.security.operation import Operation
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.security_chain import SecurityChain
from mcp_server.tools.published_resource_manager import PublishedResourceManager

if TYPE_CHECKING:
    from mcp_server.tools.resource_list import ResourceList


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
            Route("resources/list", plan=self.plan_list, finish=self.finish_list, is_listing=True),
            Route("resources/templates/list", answer=self.list_templates),
            Route("resources/read", plan=self.plan_read, finish=self.finish_read, may_ask=True),
            Route("resources/subscribe", plan=self.plan_subscribe, finish=self.finish_empty),
            Route("resources/unsubscribe", answer=self.unsubscribe),
        )

    def plan_list(self, exchange: Exchange) -> Callable[[Principal], Operation]:
        """Return what plans the list of the resources the caller may read; part of it may be found only now."""
        credentials = exchange.connection.channel.credentials
        decided: dict[tuple[Permission, ...], bool] = {}

        def may_use(permissions: tuple[Permission, ...]) -> bool:
            if permissions not in decided:
                question = Operation(kind="resources/read", name="", execute=_nothing, permissions=permissions)
                decided[permissions] = self._chain.permits(credentials, lambda principal: question)
            return decided[permissions]

        def may_read(uri: str) -> bool:
            try:
                return self._chain.permits(credentials, lambda principal: self._resources.plan_read(uri))
            except MCPServerError:
                return False

        def draw(_: Principal) -> Operation:
            operation = self._resources.plan_list(may_use, may_read)

            async def execute(context: ClientContext) -> ResourceList:
                # A list asks nobody: what needs a human's word is left out, as if there were no human.
                if exchange.call is not None:
                    exchange.call.peer = None
                listed: ResourceList = await operation.execute(context)
                return listed

            return operation._replace(execute=execute)

        return draw

    def finish_list(self, exchange: Exchange, listed: ResourceList) -> Mapping[str, Any]:
        """Return a page of the list.

        Raises:
            ProtocolError: -32602, the cursor was not made for this list, or the list has changed since.
        """
        return self._pages.cut(exchange=exchange, member="resources", listed=listed)

    def list_templates(self, exchange: Exchange) -> bytes:
        """Return a page of the resource templates the caller may use."""
        view = self._chain.view(
            exchange.connection.channel.credentials, method=exchange.method, request=exchange.request_id
        )
        return self._pages.page(
            exchange=exchange,
            member="resourceTemplates",
            fingerprint=f"{view.fingerprint}.{self._resources.epoch}",
            entries=lambda: self._resources.visible_templates(
                lambda each: view.may_use("resources/read", each.name, each.permissions)
            ),
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
        """Return what plans `effect` for a caller who may read `uri`; the resource's own hook is told first."""

        def draw(_: Principal) -> Operation:
            operation = self._resources.plan_subscribe(uri)

            async def execute(context: ClientContext) -> None:
                await operation.execute(context)
                effect()

            return operation._replace(execute=execute)

        return draw

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


async def _nothing(_: ClientContext) -> None:
    return None
