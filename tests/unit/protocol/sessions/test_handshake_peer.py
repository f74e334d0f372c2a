"""A session's client: asked by real requests, told by notifications."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from mcp_server.errors.capability_missing_error import CapabilityMissingError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.protocol.jsonrpc.response import Response
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.handshake_peer import HandshakePeer
from mcp_server.protocol.sessions.progress_meter import ProgressMeter

ALL: dict[str, Any] = {"elicitation": {"form": {}, "url": {}}, "sampling": {"tools": {}}, "roots": {}}
FORM = {"message": "m", "requestedSchema": {"type": "object", "properties": {"a": {"type": "string"}}}}


@pytest.fixture
def peer_of(exchange_of: Callable[..., Exchange], connection: Connection) -> Callable[..., HandshakePeer]:
    def make(date: str, capabilities: Mapping[str, Any] = ALL, *, token: str | None = None) -> HandshakePeer:
        exchange = exchange_of("tools/call", date=date, capabilities=capabilities)
        assert connection.session is not None
        meter = None if token is None else ProgressMeter(token=token, clock=lambda: 0.0)
        return HandshakePeer(exchange=exchange, session=connection.session, meter=meter)

    return make


def answered(connection: Connection, channel: Any, question: Awaitable[Any], result: dict[str, Any]) -> Any:
    async def main() -> Any:
        asked = asyncio.ensure_future(question)
        await asyncio.sleep(0)
        connection.answered(Response(channel.sent[-1]["id"], result, None))
        return await asked

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("date", "able"),
    [
        ("2024-11-05", (False, False)),
        ("2025-03-26", (False, False)),
        ("2025-06-18", (True, False)),
        ("2025-11-25", (True, True)),
    ],
)
def test_abilities(peer_of: Any, date: str, able: tuple[bool, bool]) -> None:
    peer = peer_of(date)
    assert (peer.can_elicit, peer.can_elicit_url) == able
    assert peer.can_sample
    assert peer.can_list_roots
    nobody = peer_of(date, {})
    assert not any((nobody.can_elicit, nobody.can_elicit_url, nobody.can_sample, nobody.can_list_roots))


def test_questions_are_requests(peer_of: Any, connection: Connection, channel: Any) -> None:
    peer = peer_of("2025-11-25")
    assert answered(connection, channel, peer.elicit(FORM), {"action": "decline"}) == {"action": "decline"}
    assert channel.sent[-1]["method"] == "elicitation/create"
    sampling = {"messages": [{"role": "user", "content": {"type": "text", "text": "x"}}], "maxTokens": 5}
    assert answered(connection, channel, peer.sample(sampling), {"model": "m"}) == {"model": "m"}
    assert channel.sent[-1]["params"] == sampling
    assert answered(connection, channel, peer.list_roots(), {"roots": [{"uri": "file:///a"}]}) == [{"uri": "file:///a"}]


def test_nothing_is_asked_before_the_handshake_is_done(peer_of: Any, connection: Connection, channel: Any) -> None:
    peer = peer_of("2025-11-25")
    assert connection.session is not None
    connection.session.is_initialized = False
    for ask in (lambda: peer.elicit(FORM), lambda: peer.sample({"messages": []}), peer.list_roots):
        with pytest.raises(ResourceUnavailableError, match="initialized"):
            asyncio.run(ask())
    assert channel.sent == []


def test_pages_have_ids_of_their_own(peer_of: Any, connection: Connection, channel: Any) -> None:
    peer = peer_of("2025-11-25")
    for _ in range(2):
        page = {"mode": "url", "message": "m", "url": "https://example.org/"}
        answered(connection, channel, peer.elicit(page), {"action": "accept"})
    first, second = (each["params"]["elicitationId"] for each in channel.sent)
    assert first != second


def test_tools_for_a_model_that_takes_none(peer_of: Any, channel: Any) -> None:
    peer = peer_of("2025-11-25", {"sampling": {}})
    with pytest.raises(CapabilityMissingError):
        asyncio.run(peer.sample({"messages": [], "tools": [{}]}))
    assert channel.sent == []


@pytest.mark.parametrize("result", [{}, {"roots": None}, {"roots": [1]}])
def test_roots_that_are_none(peer_of: Any, connection: Connection, channel: Any, result: dict[str, Any]) -> None:
    with pytest.raises(ResourceUnavailableError):
        answered(connection, channel, peer_of("2025-11-25").list_roots(), result)


@pytest.mark.parametrize(("date", "words"), [("2024-11-05", False), ("2025-03-26", True)])
def test_progress(peer_of: Any, channel: Any, date: str, words: bool) -> None:
    async def main() -> None:
        peer = peer_of(date, token="t")
        peer.progress(1, 2, "half")
        peer.heartbeat(5.0)
        peer_of(date).progress(1, None, None)
        peer_of(date).heartbeat(5.0)

    asyncio.run(main())
    assert len(channel.sent) == 2
    assert [("message" in each["params"]) for each in channel.sent] == [words, words]


def test_log_level_of_the_session(peer_of: Any, connection: Connection, channel: Any) -> None:
    async def main() -> None:
        peer = peer_of("2025-11-25")
        assert connection.session is not None
        connection.session.log_level = "error"
        peer.log("warning", "no", None)
        peer.log("error", {"a": 1}, "notes")
        peer.log("alert", "yes", None)

    asyncio.run(main())
    assert [each["params"] for each in channel.sent] == [
        {"level": "error", "logger": "notes", "data": {"a": 1}},
        {"level": "alert", "data": "yes"},
    ]
