"""Calls are planned, results dressed, refusals told to the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.protocol.handlers.tools_handler import ToolsHandler
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.security.authentication.principal import Principal
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.tool_manager import ToolManager
from mcp_server.tools.tool_result import ToolResult

Make = Callable[..., Exchange]
SOMEBODY = Principal("local", ("test",))
TEXT = {"type": "text", "text": "[1]"}


@pytest.fixture
def handler(catalog: Catalog, chain: Any, pages: ListPages) -> ToolsHandler:
    return ToolsHandler(tools=ToolManager(catalog=catalog), chain=chain, pages=pages)


def test_routes(handler: ToolsHandler) -> None:
    routes = {route.method: route for route in handler.routes()}
    assert set(routes) == {"tools/list", "tools/call"}
    assert routes["tools/call"].may_ask
    assert not routes["tools/list"].may_ask


def test_list_shows_what_may_be_used(handler: ToolsHandler, chain: Any, exchange_of: Make) -> None:
    chain.hidden = {"echo"}
    listed = json.loads(handler.list(exchange_of("tools/list")))
    assert [each["name"] for each in listed["tools"]] == ["other"]


def test_plan_is_drawn_later(handler: ToolsHandler, exchange_of: Make) -> None:
    draw = handler.plan_call(exchange_of("tools/call", {"name": "nosuch"}))
    with pytest.raises(UnknownNameError):
        draw(SOMEBODY)
    operation = handler.plan_call(exchange_of("tools/call", {"name": "echo", "arguments": {"text": "x"}}))(SOMEBODY)
    assert (operation.kind, operation.name, operation.arguments) == ("tools/call", "echo", {"text": "x"})


@pytest.mark.parametrize("params", [{}, {"name": 1}, {"name": "echo", "arguments": []}])
def test_shape_is_checked_at_once(handler: ToolsHandler, exchange_of: Make, params: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as caught:
        handler.plan_call(exchange_of("tools/call", params))
    assert caught.value.code == -32602


@pytest.mark.parametrize(("date", "structured"), [("2025-06-18", {"result": [1]}), ("2026-07-28", [1])])
def test_result_of_a_tool_that_is_gone(handler: ToolsHandler, exchange_of: Make, date: str, structured: Any) -> None:
    exchange = exchange_of("tools/call", {"name": "gone"}, date=date)
    result = handler.finish_call(exchange, ToolResult((TEXT,), structured=[1], meta={"a": 1}))
    assert result["structuredContent"] == structured
    assert result["_meta"]["a"] == 1
    assert "isError" not in result


def test_error_result(handler: ToolsHandler, exchange_of: Make) -> None:
    result = handler.finish_call(exchange_of("tools/call", {"name": "echo"}), ToolResult((TEXT,), is_error=True))
    assert result["isError"] is True
    assert "structuredContent" not in result


def test_refusal(handler: ToolsHandler, exchange_of: Make) -> None:
    exchange = exchange_of("tools/call", {"name": "echo"})
    result = handler.refuse_call(exchange, InvalidArgumentsError(["'text' is missing"]))
    assert result is not None
    assert result["isError"] is True
    assert handler.refuse_call(exchange, UnknownNameError("tool", "x")) is None
