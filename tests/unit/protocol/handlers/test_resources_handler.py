"""Resources are read by plan, and watched by who may read them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.protocol.handlers.resources_handler import ResourcesHandler
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.sessions.connection import MAX_SUBSCRIPTIONS, Connection
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.published_resource_manager import PublishedResourceManager

Make = Callable[..., Exchange]


@pytest.fixture
def handler(catalog: Catalog, chain: Any, pages: ListPages) -> ResourcesHandler:
    return ResourcesHandler(resources=PublishedResourceManager(catalog=catalog), chain=chain, pages=pages)


def run(chain: Any, plan: Any) -> Any:
    return asyncio.run(chain.run(None, plan))


def test_templates_that_may_be_used(handler: ResourcesHandler, chain: Any, exchange_of: Make) -> None:
    listed = json.loads(handler.list_templates(exchange_of("resources/templates/list")))
    assert [each["uriTemplate"] for each in listed["resourceTemplates"]] == ["page:///{name}"]
    chain.hidden = {"page"}
    listed = json.loads(handler.list_templates(exchange_of("resources/templates/list", {}, date="2025-06-18")))
    assert listed["resourceTemplates"] == []


def test_read(handler: ResourcesHandler, chain: Any, exchange_of: Make) -> None:
    exchange = exchange_of("resources/read", {"uri": "page:///x"}, date="2025-06-18")
    contents = run(chain, handler.plan_read(exchange))
    assert handler.finish_read(exchange, contents) == {
        "contents": [{"uri": "page:///x", "mimeType": "text/plain", "text": "x"}]
    }


def test_read_of_nothing(handler: ResourcesHandler, chain: Any, exchange_of: Make) -> None:
    with pytest.raises(UnknownNameError):
        run(chain, handler.plan_read(exchange_of("resources/read", {"uri": "nosuch:///x"})))
    with pytest.raises(ProtocolError):
        handler.plan_read(exchange_of("resources/read", {}))


def test_subscription_is_noted_after_the_check(
    handler: ResourcesHandler, chain: Any, exchange_of: Make, connection: Connection
) -> None:
    exchange = exchange_of("resources/subscribe", {"uri": "note:///a"}, date="2025-06-18")
    chain.hidden = {"note:///a"}
    with pytest.raises(PermissionDeniedError):
        run(chain, handler.plan_subscribe(exchange))
    assert connection.session is not None
    assert connection.session.resource_uris == set()
    chain.hidden = set()
    run(chain, handler.plan_subscribe(exchange))
    assert connection.session.resource_uris == {"note:///a"}
    assert chain.ran[-1].kind == "resources/subscribe"
    assert not chain.ran[-1].has_effects
    assert handler.finish_empty(exchange, None) == {}


def test_unsubscribing_twice_is_harmless(handler: ResourcesHandler, exchange_of: Make, connection: Connection) -> None:
    exchange = exchange_of("resources/unsubscribe", {"uri": "note:///a"}, date="2025-06-18")
    assert connection.session is not None
    connection.session.resource_uris.add("note:///a")
    for _ in range(2):
        assert handler.unsubscribe(exchange) == {}
    assert connection.session.resource_uris == set()


def test_subscriptions_are_bounded(
    handler: ResourcesHandler, chain: Any, exchange_of: Make, connection: Connection
) -> None:
    exchange = exchange_of("resources/subscribe", {"uri": "note:///a"}, date="2025-06-18")
    assert connection.session is not None
    connection.session.resource_uris.update(f"page:///{number}" for number in range(MAX_SUBSCRIPTIONS))
    with pytest.raises(LimitExceededError, match="unsubscribe"):
        run(chain, handler.plan_subscribe(exchange))
    connection.session.resource_uris.remove("page:///1")
    connection.session.resource_uris.add("note:///a")
    run(chain, handler.plan_subscribe(exchange))
