"""A channel that remembers, and requests without a server around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.jsonrpc.request_meta import RequestMeta
from mcp_server.protocol.revisions.handshake_revision import HandshakeRevision
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.sessions.connection import Connection
from mcp_server.protocol.sessions.exchange import Exchange
from mcp_server.protocol.sessions.session import Session
from mcp_server.security.authentication.credentials import Credentials

MODERN = "2026-07-28"
REVISIONS = {revision.date: revision for revision in RevisionRegistry().all}


class FakeChannel:
    """Keeps what is sent, parsed."""

    def __init__(self, profile: str = "local") -> None:
        self.credentials = Credentials(transport="test", profile=profile, connection="c1")
        self.sent: list[Any] = []
        self.held = 0

    def send(self, message: bytes) -> None:
        self.sent.append(json.loads(message))

    def hold(self) -> None:
        self.held += 1

    def release(self) -> None:
        self.held -= 1


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
def connection(channel: FakeChannel) -> Connection:
    return Connection(channel=channel, codec=JSONRPCCodec(), server_info={"name": "desk", "version": "1"})


@pytest.fixture
def exchange_of(connection: Connection) -> Callable[..., Exchange]:
    """Makes a request; one of a dated revision belongs to a session, which is made with it."""

    def make(
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        date: str = MODERN,
        capabilities: Mapping[str, Any] | None = None,
        log_level: str | None = None,
        request_id: str | int = 1,
    ) -> Exchange:
        revision = REVISIONS[date]
        meta = None
        if date == MODERN:
            meta = RequestMeta(date, capabilities or {}, log_level=log_level)
        else:
            assert isinstance(revision, HandshakeRevision)
            connection.session = Session(revision=revision, capabilities=capabilities or {}, client_info={})
            connection.session.is_initialized = True
        return Exchange(
            connection=connection,
            request_id=request_id,
            method=method,
            params=params or {},
            revision=revision,
            meta=meta,
            batch=None,
        )

    return make
