"""News go to who asked for them and still may hear them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.protocol.revisions.revision_2026_07_28 import Revision20260728
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.subscription import Subscription
from mcp_server.protocol.sessions.subscription_hub import SubscriptionHub

UPDATED = "notifications/resources/updated"


@pytest.fixture
def readable() -> set[str]:
    return {"note:///a"}


@pytest.fixture
def hub(readable: set[str], connection: Connection) -> SubscriptionHub:
    hub = SubscriptionHub(may_read=lambda _, uri: uri in readable)
    hub.add(connection)
    return hub


def subscribe(connection: Connection, name: str, kinds: set[str], uris: set[str]) -> None:
    connection.subscriptions[name] = Subscription(name, Revision20260728(), frozenset(kinds), frozenset(uris))


def methods(channel: Any) -> list[str]:
    return [each["method"] for each in channel.sent]


@pytest.mark.parametrize("is_initialized", [False, True])
def test_session_hears_of_lists(
    hub: SubscriptionHub,
    connection: Connection,
    channel: Any,
    exchange_of: Callable[..., Exchange],
    is_initialized: bool,
) -> None:
    exchange_of("ping", date="2025-06-18")
    assert connection.session is not None
    connection.session.is_initialized = is_initialized
    for kind in ("tools", "prompts", "resources"):
        hub.changed(kind)
    told = [f"notifications/{kind}/list_changed" for kind in ("tools", "prompts", "resources")]
    assert methods(channel) == (told if is_initialized else [])


def test_listener_hears_what_it_asked_for(hub: SubscriptionHub, connection: Connection, channel: Any) -> None:
    subscribe(connection, "a", {"tools"}, set())
    subscribe(connection, "b", {"prompts"}, set())
    hub.changed("tools")
    hub.changed("resources")
    (told,) = channel.sent
    assert told["params"] == {"_meta": {"io.modelcontextprotocol/subscriptionId": "a"}}


def test_update_of_a_resource(
    hub: SubscriptionHub, connection: Connection, channel: Any, exchange_of: Callable[..., Exchange], readable: set[str]
) -> None:
    exchange_of("ping", date="2025-06-18")
    assert connection.session is not None
    connection.session.resource_uris.add("note:///a")
    subscribe(connection, "a", set(), {"note:///a", "note:///b"})
    hub.changed("resources", "note:///a")
    assert methods(channel) == [UPDATED, UPDATED]
    # Nobody may read the first any more, nobody ever could read the second, nobody asked for the third.
    readable.clear()
    for uri in ("note:///a", "note:///b", "note:///c"):
        hub.changed("resources", uri)
    assert len(channel.sent) == 2


def test_question_of_rights_that_fails_is_a_no(connection: Connection, channel: Any) -> None:
    def refuse(_: Connection, uri: str) -> bool:
        raise AuthenticationError("gone")

    hub = SubscriptionHub(may_read=refuse)
    hub.add(connection)
    subscribe(connection, "a", set(), {"note:///a"})
    hub.changed("resources", "note:///a")
    assert channel.sent == []


def test_removed_connection_hears_nothing(hub: SubscriptionHub, connection: Connection, channel: Any) -> None:
    subscribe(connection, "a", {"tools"}, set())
    hub.remove(connection)
    hub.remove(connection)
    hub.changed("tools")
    assert channel.sent == []
