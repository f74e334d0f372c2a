"""Lists, page by page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import LISTS, Desk
from tests.conformance.wire import Wire


async def pages(wire: Wire, method: str) -> list[dict[str, Any]]:
    found = [await wire.result(method)]
    while "nextCursor" in found[-1]:
        found.append(await wire.result(method, {"cursor": found[-1]["nextCursor"]}))
    return found


async def cursors(wire: Wire) -> dict[str, str]:
    return {method: (await wire.result(method))["nextCursor"] for method in LISTS}


@covers("pages.whole")
async def test_pages_hold_everything_once(desk: Desk) -> None:
    wire = await desk.connect()
    whole = {method: (await wire.result(method))[member] for method, member in LISTS.items()}
    # As many on a page as there are, one fewer, one, and more.
    for method, member in LISTS.items():
        count = len(whole[method])
        for size in (1, 2, max(count - 1, 1), count, count + 1):
            desk.set_page_size(size)
            found = await pages(wire, method)
            assert [entry for page in found for entry in page[member]] == whole[method]
            assert len(found) == -(-count // size)
            assert "nextCursor" not in found[-1]


@covers("pages.opaque")
async def test_cursor_cannot_be_made_up(desk: Desk) -> None:
    desk.set_page_size(1)
    wire = await desk.connect()
    cursor = (await cursors(wire))["tools/list"]
    assert cursor.isascii()
    assert cursor not in ("1", base64.b64encode(b"1").decode())
    for other in mutations(cursor):
        assert (await wire.error("tools/list", {"cursor": other}))["code"] == -32602
    assert "tools" in await wire.result("tools/list", {"cursor": cursor})


def mutations(cursor: str) -> Iterator[str]:
    for place in range(len(cursor)):
        yield cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
    yield from (cursor[:-1], cursor + "A", cursor + "=", " " + cursor, cursor.lower(), cursor * 2)


@covers("pages.invalid")
async def test_cursor_that_was_not_issued(desk: Desk) -> None:
    wire = await desk.connect()
    for method in LISTS:
        for cursor in ("1", "AAAA", "x" * 100_000, "\u00e9", 1, None, [], {}, True):
            assert (await wire.error(method, {"cursor": cursor}))["code"] == -32602


@covers("pages.empty-cursor")
async def test_empty_cursor(desk: Desk) -> None:
    wire = await desk.connect()
    for method in LISTS:
        assert (await wire.error(method, {"cursor": ""}))["code"] == -32602


@covers("pages.other-list")
async def test_cursor_of_another_list(desk: Desk) -> None:
    desk.set_page_size(1)
    wire = await desk.connect()
    desk.show.module.resource("extra:///{name}")(extra)
    issued = await cursors(wire)
    for method in LISTS:
        for other, cursor in issued.items():
            answer = await wire.ask(method, {"cursor": cursor})
            assert ("result" in answer) == (method == other)


async def extra(name: str) -> str:
    return name


@covers("pages.after-change")
async def test_cursor_of_a_list_that_changed(desk: Desk) -> None:
    desk.set_page_size(1)
    wire = await desk.connect()
    desk.show.module.resource("extra:///{name}")(extra)
    issued = await cursors(wire)
    desk.show.module.remove_tool("echo")
    desk.show.module.remove_prompt("greet")
    desk.show.module.remove_resource("note:///a")
    for method, cursor in issued.items():
        assert (await wire.error(method, {"cursor": cursor}))["code"] == -32602


@covers("pages.after-reload")
async def test_cursor_from_before_a_change_of_rights(desk: Desk) -> None:
    desk.set_page_size(1)
    wire = await desk.connect()
    cursor = (await wire.result("tools/list"))["nextCursor"]
    desk.reload(allow=())
    assert (await wire.error("tools/list", {"cursor": cursor}))["code"] == -32602


@covers("pages.other-client")
async def test_cursor_of_another_client(desk: Desk) -> None:
    desk.set_page_size(1)
    wire, other = await desk.connect(), await desk.connect(profile="other")
    cursor = (await wire.result("tools/list"))["nextCursor"]
    assert (await other.error("tools/list", {"cursor": cursor}))["code"] == -32602
    assert "tools" in await wire.result("tools/list", {"cursor": cursor})
