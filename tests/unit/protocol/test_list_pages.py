"""Pages are cut, encoded once, and found again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.cursor_codec import CursorCodec
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.list_pages import MAX_KEPT, ListPages
from mcp_server.protocol.sessions.exchange import Exchange


class Entry:
    """Something to list."""

    def __init__(self, name: str) -> None:
        self.name = name

    def to_wire(self) -> dict[str, Any]:
        return {"name": self.name, "description": "d", "inputSchema": {"type": "object"}}


@pytest.fixture
def pages() -> ListPages:
    return ListPages(codec=JSONRPCCodec(), cursors=CursorCodec(bytes(16)), page_size=2)


@pytest.fixture
def page(pages: ListPages, exchange_of: Callable[..., Exchange]) -> Callable[..., dict[str, Any]]:
    def ask(count: int = 5, fingerprint: str = "f", method: str = "tools/list", **params: Any) -> dict[str, Any]:
        data = pages.page(
            exchange=exchange_of(method, params),
            member="tools",
            fingerprint=fingerprint,
            entries=lambda: [Entry(str(number)) for number in range(count)],
        )
        return dict(json.loads(data))

    return ask


def names(page: dict[str, Any]) -> list[str]:
    return [entry["name"] for entry in page["tools"]]


def test_pages_follow_each_other(page: Callable[..., dict[str, Any]]) -> None:
    first = page()
    second = page(cursor=first["nextCursor"])
    third = page(cursor=second["nextCursor"])
    assert [names(each) for each in (first, second, third)] == [["0", "1"], ["2", "3"], ["4"]]
    assert "nextCursor" not in third


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_fits_one_page_has_no_cursor(page: Callable[..., dict[str, Any]], count: int) -> None:
    assert len(page(count)["tools"]) == count
    assert "nextCursor" not in page(count)


@pytest.mark.parametrize("other", [{"fingerprint": "g"}, {"method": "prompts/list"}])
def test_cursor_of_something_else(page: Callable[..., dict[str, Any]], other: dict[str, str]) -> None:
    cursor = page()["nextCursor"]
    with pytest.raises(ProtocolError) as caught:
        page(cursor=cursor, **other)
    assert caught.value.code == -32602


def test_page_is_made_once(pages: ListPages, exchange_of: Callable[..., Exchange]) -> None:
    made: list[int] = []

    def entries() -> list[Entry]:
        made.append(1)
        return [Entry("a")]

    asked = [
        pages.page(exchange=exchange_of("tools/list", date=date), member="tools", fingerprint=print_, entries=entries)
        for date, print_ in [("2025-11-25", "f"), ("2025-11-25", "f"), ("2026-07-28", "f"), ("2025-11-25", "g")]
    ]
    assert asked[0] == asked[1]
    assert asked[0] != asked[2]
    assert len(made) == 3


def test_kept_pages_are_bounded(pages: ListPages, page: Callable[..., dict[str, Any]]) -> None:
    for number in range(MAX_KEPT + 5):
        page(1, fingerprint=str(number))
    assert len(pages._kept) <= MAX_KEPT
