"""Prompts are listed for who may use them, and got."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.handlers.prompts_handler import PromptsHandler
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.prompt_manager import PromptManager
from mcp_server.tools.prompt_result import PromptResult

Make = Callable[..., Exchange]


@pytest.fixture
def handler(catalog: Catalog, chain: Any, pages: ListPages) -> PromptsHandler:
    return PromptsHandler(prompts=PromptManager(catalog=catalog), chain=chain, pages=pages)


def test_list_shows_what_may_be_used(handler: PromptsHandler, chain: Any, exchange_of: Make) -> None:
    chain.hidden = {"greet"}
    listed = json.loads(handler.list(exchange_of("prompts/list")))
    assert [each["name"] for each in listed["prompts"]] == ["part"]


def test_get(handler: PromptsHandler, chain: Any, exchange_of: Make) -> None:
    exchange = exchange_of("prompts/get", {"name": "greet", "arguments": {"name": "Ada"}}, date="2025-06-18")
    result = asyncio.run(chain.run(None, handler.plan_get(exchange)))
    message = {"role": "user", "content": {"type": "text", "text": "Greet Ada."}}
    assert handler.finish_get(exchange, result)["messages"] == [message]


def test_description_may_be_missing(handler: PromptsHandler, exchange_of: Make) -> None:
    exchange = exchange_of("prompts/get", {"name": "part"}, date="2025-06-18")
    assert handler.finish_get(exchange, PromptResult(None, ())) == {"messages": []}


@pytest.mark.parametrize("params", [{}, {"name": 1}, {"name": "greet", "arguments": {"name": 1}}])
def test_shape_is_checked_at_once(handler: PromptsHandler, exchange_of: Make, params: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as caught:
        handler.plan_get(exchange_of("prompts/get", params))
    assert caught.value.code == -32602
