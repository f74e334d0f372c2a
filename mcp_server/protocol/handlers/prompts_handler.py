"""`prompts/list` and `prompts/get`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mcp_server.protocol import params as read
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.operation import Operation
from mcp_server.security.security_chain import SecurityChain
from mcp_server.tools.prompt_manager import PromptManager

if TYPE_CHECKING:
    from mcp_server.tools.prompt_result import PromptResult


class PromptsHandler:
    """Plans the making of prompts and lists them.

    Source: MCP, server/prompts.

    Args:
        prompts: Finds prompts and plans their making.
        chain: Says what a caller may see.
        pages: Cuts lists into pages.
    """

    def __init__(self, *, prompts: PromptManager, chain: SecurityChain, pages: ListPages) -> None:
        self._prompts = prompts
        self._chain = chain
        self._pages = pages

    def routes(self) -> tuple[Route, ...]:
        """Return the methods served here."""
        return (
            Route("prompts/list", answer=self.list),
            Route("prompts/get", plan=self.plan_get, finish=self.finish_get, may_ask=True),
        )

    def list(self, exchange: Exchange) -> bytes:
        """Return a page of the prompts the caller may use."""
        view = self._chain.view(
            exchange.connection.channel.credentials, method=exchange.method, request=exchange.request_id
        )
        return self._pages.page(
            exchange=exchange,
            member="prompts",
            fingerprint=f"{view.fingerprint}.{self._prompts.epoch}",
            entries=lambda: self._prompts.visible(
                lambda prompt: view.may_use("prompts/get", prompt.name, prompt.permissions)
            ),
        )

    def plan_get(self, exchange: Exchange) -> Callable[[Principal], Operation]:
        """Check the parameters' shape and return what draws the plan."""
        name = read.text(exchange.params, "name")
        arguments = read.texts(exchange.params, "arguments")
        return lambda principal: self._prompts.plan_get(name, arguments)

    def finish_get(self, exchange: Exchange, result: PromptResult) -> Mapping[str, Any]:
        """Return the prompt as the revision shapes it."""
        wire: dict[str, Any] = {"messages": list(result.messages)}
        if result.description is not None:
            wire["description"] = result.description
        return exchange.project(wire)
