"""The front door puts the protocol together."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.protocol.protocol_config import ProtocolConfig
from mcp_server.protocol.protocol_tier import ProtocolTier
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.module import Module


def tier(catalog: Catalog) -> ProtocolTier:
    chain: Any = object()
    config = ProtocolConfig(server_info={"name": "desk", "version": "1"})
    return ProtocolTier(config=config, catalog=catalog, chain=chain)


def test_every_method_of_every_revision_is_served() -> None:
    known = {method for revision in RevisionRegistry().all for method in revision.client_requests}
    served = set(tier(Catalog()).handler._router._routes)
    # Listening has a way of its own, for its request stays open.
    assert known - served == {"subscriptions/listen"}
    assert served <= known


def test_changes_of_the_catalogue_reach_the_connections(channel: Any) -> None:
    catalog = Catalog()
    module = Module("m")
    catalog.register(module)
    built = tier(catalog)
    connection = built.handler.open(channel)
    told: list[tuple[str, str | None]] = []
    built.hub.changed = lambda kind, uri=None: told.append((kind, uri))  # type: ignore[method-assign]

    @module.prompt
    async def greet() -> str:
        return "hello"

    module.resource_updated("note:///a")
    assert told == [("prompts", None), ("resources", "note:///a")]
    assert connection.session is None


def test_keys_are_those_of_one_run() -> None:
    first, second = tier(Catalog()), tier(Catalog())
    state = first.handler._sealer.seal({}, b"")
    assert first.handler._sealer.open(state, b"") == {}
    with pytest.raises(ValueError, match="not valid"):
        second.handler._sealer.open(state, b"")
