"""`tools/list` and `tools/call`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.protocol import params as read
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.refusals import as_tool_result
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.operation import Operation
from mcp_server.security.security_chain import SecurityChain
from mcp_server.tools.tool_manager import ToolManager
from mcp_server.tools.tool_result import ToolResult
from mcp_server.tools.unset import UNSET


class ToolsHandler:
    """Plans calls of tools and lists them.

    Source: MCP, server/tools.

    Args:
        tools: Finds tools and plans their calls.
        chain: Says what a caller may see.
        pages: Cuts lists into pages.
    """

    def __init__(self, *, tools: ToolManager, chain: SecurityChain, pages: ListPages) -> None:
        self._tools = tools
        self._chain = chain
        self._pages = pages

    def routes(self) -> tuple[Route, ...]:
        """Return the methods served here."""
        return (
            Route("tools/list", answer=self.list),
            Route("tools/call", plan=self.plan_call, finish=self.finish_call, refuse=self.refuse_call, may_ask=True),
        )

    def list(self, exchange: Exchange) -> bytes:
        """Return a page of the tools the caller may use."""
        view = self._chain.view(
            exchange.connection.channel.credentials, method=exchange.method, request=exchange.request_id
        )
        return self._pages.page(
            exchange=exchange,
            member="tools",
            fingerprint=f"{view.fingerprint}.{self._tools.epoch}",
            entries=lambda: self._tools.visible(lambda tool: view.may_use("tools/call", tool.name, tool.permissions)),
        )

    def plan_call(self, exchange: Exchange) -> Callable[[Principal], Operation]:
        """Check the parameters' shape; the plan itself is drawn for an authenticated caller only."""
        params = exchange.params
        name, arguments = params.get("name"), params.get("arguments")
        if type(name) is not str or type(arguments) is not dict:
            name, arguments = read.text(params, "name"), read.mapping(params, "arguments")
        return lambda principal: self._tools.plan(name, arguments)

    def finish_call(self, exchange: Exchange, result: ToolResult) -> Mapping[str, Any]:
        """Return the result as the revision shapes it."""
        wire: dict[str, Any] = {"content": list(result.content)}
        schema = None
        if result.structured is not UNSET:
            wire["structuredContent"] = result.structured
            # Where the schema promises no object, old revisions wrap the value as they wrapped the schema.
            # The tool may have been withdrawn while it ran; its result is as good as ever.
            with contextlib.suppress(UnknownNameError):
                schema = self._tools.get(exchange.params["name"]).output_schema
        if result.is_error:
            wire["isError"] = True
        if result.meta:
            wire["_meta"] = dict(result.meta)
        revision = exchange.revision
        projected = revision.project_call_result(wire, output_schema=schema)
        return revision.dress("tools/call", projected, server_info=exchange.connection.server_info)

    def refuse_call(self, exchange: Exchange, error: MCPServerError) -> Mapping[str, Any] | None:
        """Tell a refusal as a result the model can read, where the protocol wants that."""
        refusal = as_tool_result(error)
        return None if refusal is None else exchange.project(refusal)
