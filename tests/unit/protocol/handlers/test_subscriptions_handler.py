"""Listeners are checked, acknowledged, and then wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.handlers.resources_handler import ResourcesHandler
from mcp_server.protocol.handlers.subscriptions_handler import SubscriptionsHandler
from mcp_server.protocol.list_pages import ListPages
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.sessions.connection import MAX_SUBSCRIPTIONS, Connection
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.published_resource_manager import PublishedResourceManager

Listen = Callable[..., None]
ID = "io.modelcontextprotocol/subscriptionId"


@pytest.fixture
def handler(catalog: Catalog, chain: Any, pages: ListPages) -> SubscriptionsHandler:
    return SubscriptionsHandler(
        chain=chain,
        resources=ResourcesHandler(resources=PublishedResourceManager(catalog=catalog), chain=chain, pages=pages),
        registry=RevisionRegistry(),
        server_info={"name": "desk", "version": "1"},
    )


@pytest.fixture
def listen(handler: SubscriptionsHandler, exchange_of: Callable[..., Exchange]) -> Listen:
    def ask(notifications: Any, request_id: str = "s") -> None:
        exchange = exchange_of("subscriptions/listen", {"notifications": notifications}, request_id=request_id)
        asyncio.run(handler.listen(exchange))

    return ask


def test_acknowledgement_names_what_was_accepted(listen: Listen, connection: Connection, channel: Any) -> None:
    uris = ["note:///a", "nosuch:///a", "page:///x", "note:///a"]
    listen({"toolsListChanged": True, "promptsListChanged": False, "resourceSubscriptions": uris, "other": 1})
    (told,) = channel.sent
    assert told["params"] == {
        "_meta": {ID: "s"},
        "notifications": {"toolsListChanged": True, "resourceSubscriptions": ["note:///a", "page:///x"]},
    }
    subscription = connection.subscriptions["s"]
    assert (subscription.kinds, subscription.uris) == ({"tools"}, {"note:///a", "page:///x"})


def test_resources_pass_the_chain(listen: Listen, chain: Any, connection: Connection) -> None:
    chain.hidden = {"note:///a"}
    listen({"resourceSubscriptions": ["note:///a", "page:///x"]})
    assert connection.subscriptions["s"].uris == {"page:///x"}
    assert [operation.kind for operation in chain.ran] == ["resources/subscribe"] * 2


@pytest.mark.parametrize(
    "notifications",
    [None, [], {"toolsListChanged": 1}, {"resourceSubscriptions": "note:///a"}, {"resourceSubscriptions": [1]}],
)
def test_malformed_filter(listen: Listen, connection: Connection, channel: Any, notifications: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        listen(notifications)
    assert caught.value.code == -32602
    assert connection.subscriptions == {}
    assert channel.sent == []


def test_stranger_is_refused_before_anything_is_read(listen: Listen, chain: Any) -> None:
    chain.is_stranger = True
    with pytest.raises(AuthenticationError):
        listen(None)


def test_subscriptions_are_bounded(listen: Listen, connection: Connection) -> None:
    with pytest.raises(LimitExceededError):
        listen({"resourceSubscriptions": ["page:///x"] * (MAX_SUBSCRIPTIONS + 1)})
    for number in range(MAX_SUBSCRIPTIONS // 2):
        listen({"resourceSubscriptions": ["page:///x"]}, str(number))
    with pytest.raises(LimitExceededError, match="end some first"):
        listen({}, "more")
    assert len(connection.subscriptions) == MAX_SUBSCRIPTIONS // 2


def test_end_names_the_subscription(handler: SubscriptionsHandler, listen: Listen, connection: Connection) -> None:
    listen({})
    result = handler.end_result(connection.subscriptions["s"])
    assert result["resultType"] == "complete"
    assert result["_meta"][ID] == "s"
