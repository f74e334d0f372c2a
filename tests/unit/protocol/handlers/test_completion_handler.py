"""Completion is offered where something is completed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.handlers.completion_handler import CompletionHandler
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.completion_manager import CompletionManager
from mcp_server.tools.completion_result import CompletionResult

Make = Callable[..., Exchange]
PARAMS = {"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "name", "value": "A"}}


@pytest.fixture
def handler(catalog: Catalog) -> CompletionHandler:
    return CompletionHandler(completions=CompletionManager(catalog=catalog))


def test_values(handler: CompletionHandler, chain: Any, exchange_of: Make) -> None:
    exchange = exchange_of("completion/complete", PARAMS, date="2025-06-18")
    found = asyncio.run(chain.run(None, handler.plan_complete(exchange)))
    result = handler.finish_complete(exchange, found)
    assert result == {"completion": {"values": ["Aa", "Ab"], "hasMore": False, "total": 2}}


def test_total_may_be_unknown(handler: CompletionHandler, exchange_of: Make) -> None:
    exchange = exchange_of("completion/complete", PARAMS, date="2025-06-18")
    result = handler.finish_complete(exchange, CompletionResult(("a",), None, True))
    assert result == {"completion": {"values": ["a"], "hasMore": True}}


@pytest.mark.parametrize("params", [{"ref": 1}, {"argument": []}, {**PARAMS, "context": 1}])
def test_shape_is_checked_at_once(handler: CompletionHandler, exchange_of: Make, params: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as caught:
        handler.plan_complete(exchange_of("completion/complete", params))
    assert caught.value.code == -32602


def test_context_of_a_revision_that_has_none_is_not_looked_at(handler: CompletionHandler, exchange_of: Make) -> None:
    exchange = exchange_of("completion/complete", {**PARAMS, "context": 1}, date="2025-03-26")
    assert callable(handler.plan_complete(exchange))


def test_nothing_is_completed_here(exchange_of: Make) -> None:
    handler = CompletionHandler(completions=CompletionManager(catalog=Catalog()))
    with pytest.raises(ProtocolError) as caught:
        handler.plan_complete(exchange_of("completion/complete", {"ref": 1}))
    assert caught.value.code == -32601
