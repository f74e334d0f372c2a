"""A method leads to its route, if the revision has it and the server offers it."""

from __future__ import annotations

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.request_router import RequestRouter
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from mcp_server.protocol.route import Route

REVISIONS = {revision.date: revision for revision in RevisionRegistry().all}


@pytest.mark.parametrize(
    ("date", "method", "is_known"),
    [
        ("2025-11-25", "ping", True),
        ("2026-07-28", "ping", False),
        ("2025-11-25", "server/discover", False),
        ("2026-07-28", "server/discover", True),
        ("2025-11-25", "tools/list", False),
        ("2025-11-25", "no/such", False),
        ("2025-11-25", "PING", False),
    ],
)
def test_route(date: str, method: str, is_known: bool) -> None:
    router = RequestRouter([Route("ping"), Route("server/discover")])
    if is_known:
        assert router.route(REVISIONS[date], method).method == method
        return
    with pytest.raises(ProtocolError) as caught:
        router.route(REVISIONS[date], method)
    assert caught.value.code == -32601


def test_long_name_is_not_echoed_whole() -> None:
    with pytest.raises(ProtocolError) as caught:
        RequestRouter([]).route(REVISIONS["2025-11-25"], "x" * 200)
    assert len(caught.value.message) < 100
