"""`completion/complete`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol import params as read
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.route import Route
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.operation import Operation
from mcp_server.tools.completion_manager import CompletionManager

if TYPE_CHECKING:
    from mcp_server.tools.completion_result import CompletionResult


class CompletionHandler:
    """Plans the completion of an argument of a prompt or a resource template.

    Source: MCP, server/utilities/completion.

    Args:
        completions: Finds who completes what.
    """

    def __init__(self, *, completions: CompletionManager) -> None:
        self._completions = completions

    def routes(self) -> tuple[Route, ...]:
        """Return the methods served here."""
        return (Route("completion/complete", plan=self.plan_complete, finish=self.finish_complete),)

    def plan_complete(self, exchange: Exchange) -> Callable[[Principal], Operation]:
        """Check the parameters' shape and return what draws the plan.

        Raises:
            ProtocolError: -32601, nothing is completed here and so the capability is not declared; -32602, a parameter
                has the wrong shape.
        """
        if not self._completions.has_any:
            raise ProtocolError(ErrorCode.METHOD_NOT_FOUND, "this server completes nothing")
        ref = read.mapping(exchange.params, "ref")
        argument = read.mapping(exchange.params, "argument")
        context = read.mapping(exchange.params, "context") if exchange.revision.supports_completion_context else {}
        return lambda principal: self._completions.plan_complete(ref, argument, context)

    def finish_complete(self, exchange: Exchange, result: CompletionResult) -> Mapping[str, Any]:
        """Return the completion as the revision shapes it."""
        completion: dict[str, Any] = {"values": list(result.values), "hasMore": result.has_more}
        if result.total is not None:
            completion["total"] = result.total
        return exchange.project({"completion": completion})
