"""Sessions begin once; discovery needs none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.capabilities_manager import CapabilitiesManager
from mcp_server.protocol.handlers.lifecycle_handler import LifecycleHandler
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.sessions.batch_reply import BatchReply
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.tools.catalog import Catalog

HELLO: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"roots": {}},
    "clientInfo": {"name": "x", "version": "1"},
}


@pytest.fixture
def handler(catalog: Catalog) -> LifecycleHandler:
    capabilities = CapabilitiesManager(
        catalog=catalog, server_info={"name": "desk", "version": "1"}, instructions="Be kind."
    )
    return LifecycleHandler(registry=RevisionRegistry(), capabilities=capabilities)


@pytest.fixture
def hello(exchange_of: Callable[..., Exchange], connection: Connection) -> Callable[..., Exchange]:
    def make(**params: Any) -> Exchange:
        exchange = exchange_of("initialize", {**HELLO, **params}, date="2025-11-25")
        connection.session = None
        return exchange

    return make


def test_session_is_opened(handler: LifecycleHandler, hello: Any, connection: Connection) -> None:
    result = handler.initialize(hello())
    session = connection.session
    assert session is not None
    assert (session.revision.date, result["protocolVersion"]) == ("2025-06-18", "2025-06-18")
    assert session.capabilities == {"roots": {}}
    assert not session.is_initialized
    assert result["instructions"] == "Be kind."


def test_second_session_is_refused(handler: LifecycleHandler, hello: Any, connection: Connection) -> None:
    exchange = hello()
    handler.initialize(exchange)
    session = connection.session
    with pytest.raises(ProtocolError) as caught:
        handler.initialize(exchange)
    assert caught.value.code == -32600
    assert connection.session is session


def test_not_in_a_batch(handler: LifecycleHandler, hello: Any, connection: Connection) -> None:
    exchange = hello()
    exchange.batch = BatchReply(expected=1, send=lambda answers: None)
    with pytest.raises(ProtocolError) as caught:
        handler.initialize(exchange)
    assert caught.value.code == -32600
    assert connection.session is None


@pytest.mark.parametrize(
    "params", [{"protocolVersion": None}, {"protocolVersion": 1}, {"capabilities": []}, {"clientInfo": "x"}]
)
def test_parameters_of_the_wrong_type(
    handler: LifecycleHandler, hello: Any, connection: Connection, params: dict[str, Any]
) -> None:
    with pytest.raises(ProtocolError) as caught:
        handler.initialize(hello(**params))
    assert caught.value.code == -32602
    assert connection.session is None


def test_ping_and_discover(handler: LifecycleHandler, exchange_of: Callable[..., Exchange]) -> None:
    assert handler.ping(exchange_of("ping", date="2025-06-18")) == {}
    result = handler.discover(exchange_of("server/discover"))
    assert result["supportedVersions"] == ["2026-07-28"]
    assert result["instructions"] == "Be kind."
