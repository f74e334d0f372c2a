"""Listing, reading and watching resources."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import Wire

ICONS = [{"src": "https://example.org/icon.png", "mimeType": "image/png", "sizes": ["48x48"]}]
UPDATED = "notifications/resources/updated"


def expected_extras(revision: str) -> dict[str, Any]:
    """Return what an entry holds besides its own members in a revision."""
    extras: dict[str, Any] = {"annotations": {"audience": ["user"], "priority": 0.5}}
    if revision >= "2025-06-18":
        extras["annotations"] = {**extras["annotations"], "lastModified": "2026-01-31T12:00:00Z"}
    if revision >= "2025-11-25":
        extras["icons"] = ICONS
    return extras


async def listed(wire: Wire, method: str = "resources/list", member: str = "resources") -> dict[str, dict[str, Any]]:
    return {entry.get("uri") or entry["uriTemplate"]: entry for entry in (await wire.result(method))[member]}


def watch(wire: Wire, desk: Desk, *uris: str) -> list[dict[str, Any]]:
    """Say that resources changed and return what the client heard of it."""
    before = len(wire.news(UPDATED))
    for uri in uris:
        desk.show.module.resource_updated(uri)
    return wire.news(UPDATED)[before:]


@covers("resources.list")
async def test_list(desk: Desk) -> None:
    entries = await listed(await desk.connect())
    assert list(entries) == ["note:///a", "note:///several", "asking:///a"]
    assert [entry["name"] for entry in entries.values()] == ["note_a", "several", "asking"]


@covers("resources.list.fields")
async def test_fields_of_an_entry(desk: Desk) -> None:
    expected: dict[str, Any] = {
        "uri": "note:///a",
        "name": "note_a",
        "description": "The first note.",
        "mimeType": "text/plain",
        "size": 5,
        **expected_extras(desk.revision),
    }
    if desk.revision >= "2025-06-18":
        expected |= {"title": "Note A", "_meta": {"example.org/level": 3}}
    assert (await listed(await desk.connect()))["note:///a"] == expected


@covers("resources.list.permitted-only")
async def test_only_what_may_be_read(desk: Desk) -> None:
    wire = await desk.connect()
    assert "locked:///a" not in await listed(wire)
    assert "disk:///{+note}" in await listed(wire, "resources/templates/list", "resourceTemplates")
    desk.reload(allow=(), ask=())
    assert "disk:///{+note}" not in await listed(wire, "resources/templates/list", "resourceTemplates")


@covers("resources.templates")
async def test_templates(desk: Desk) -> None:
    entries = await listed(await desk.connect(), "resources/templates/list", "resourceTemplates")
    assert list(entries) == ["page:///{name}", "disk:///{+note}"]
    expected: dict[str, Any] = {
        "uriTemplate": "page:///{name}",
        "name": "page",
        "description": "A page.",
        "mimeType": "text/markdown",
        **expected_extras(desk.revision),
    }
    if desk.revision >= "2025-06-18":
        expected |= {"title": "Pages", "_meta": {"a/b": 1}}
    assert entries["page:///{name}"] == expected


@covers("resources.read.text")
async def test_read_text(desk: Desk) -> None:
    result = await (await desk.connect()).result("resources/read", {"uri": "note:///a"})
    assert result["contents"] == [{"uri": "note:///a", "mimeType": "text/plain", "text": "the a"}]


@covers("resources.read.several")
async def test_read_several_parts(desk: Desk) -> None:
    contents = (await (await desk.connect()).result("resources/read", {"uri": "note:///several"}))["contents"]
    assert [part["uri"] for part in contents] == ["note:///several/1", "note:///several/2"]
    assert contents[0]["text"] == "one"
    assert contents[1]["blob"] == b64encode(b"two").decode()


@covers("resources.read.template")
async def test_read_by_template(desk: Desk) -> None:
    wire = await desk.connect()
    contents = (await wire.result("resources/read", {"uri": "page:///caf%C3%A9"}))["contents"]
    assert contents == [{"uri": "page:///caf%C3%A9", "mimeType": "text/markdown", "text": "# caf\u00e9"}]
    contents = (await wire.result("resources/read", {"uri": "disk:///note.txt"}))["contents"]
    assert contents[0]["text"] == "text of note.txt"


UNKNOWN = ("note:///nosuch", "nosuch:///a", "note:///a/", "", "no uri at all", "note:///A", "file:///etc/passwd")


@covers("resources.read.unknown-legacy")
async def test_read_unknown_legacy(desk: Desk) -> None:
    wire = await desk.connect()
    for uri in UNKNOWN:
        error = await wire.error("resources/read", {"uri": uri})
        assert (error["code"], error["data"]) == (-32002, {"uri": uri})


@covers("resources.read.unknown-modern")
async def test_read_unknown_modern(desk: Desk) -> None:
    wire = await desk.connect()
    for uri in UNKNOWN:
        error = await wire.error("resources/read", {"uri": uri})
        assert (error["code"], error["data"]) == (-32602, {"uri": uri})


@covers("resources.read.nothing-there")
async def test_template_with_nothing_behind_it(desk: Desk) -> None:
    error = await (await desk.connect()).error("resources/read", {"uri": "page:///missing"})
    assert error["code"] == (-32602 if desk.is_modern else -32002)
    assert error["data"] == {"uri": "page:///missing"}


@covers("resources.read.hidden")
async def test_read_hidden(desk: Desk) -> None:
    wire = await desk.connect()
    assert await wire.answers_alike("resources/read", lambda uri: {"uri": uri}, "locked:///a", "locked:///b")


@covers("resources.read.no-uri")
async def test_read_without_uri(desk: Desk) -> None:
    wire = await desk.connect()
    for params in ({}, {"uri": None}, {"uri": 1}, {"uri": ["note:///a"]}, {"name": "note_a"}):
        assert (await wire.error("resources/read", params))["code"] == -32602


@covers("resources.read.traversal")
async def test_variable_cannot_climb_out(desk: Desk) -> None:
    wire = await desk.connect()
    (desk.folder.parent / "outside.txt").write_text("outside")
    (desk.folder / "link.txt").symlink_to(desk.folder.parent / "outside.txt")
    for path in ("../outside.txt", "%2e%2e/outside.txt", "..%2Foutside.txt", "a/../../outside.txt", "link.txt"):
        error = await wire.error("resources/read", {"uri": f"disk:///{path}"})
        assert error["code"] in (-32602, -32002, 4032), path
    absolute = await wire.error("resources/read", {"uri": f"disk:///{desk.folder.parent}/outside.txt"})
    assert absolute["code"] in (-32602, -32002, 4032)


# Watching, in sessions


@covers("resources.subscribe")
async def test_update_is_told(desk: Desk) -> None:
    wire = await desk.connect()
    assert await wire.result("resources/subscribe", {"uri": "note:///a"}) == {}
    assert await wire.result("resources/subscribe", {"uri": "page:///one"}) == {}
    assert watch(wire, desk, "note:///a") == [{"uri": "note:///a"}]
    assert watch(wire, desk, "page:///one") == [{"uri": "page:///one"}]


@covers("resources.subscribe.only-it")
async def test_other_updates_are_not_told(desk: Desk) -> None:
    wire = await desk.connect()
    other = await desk.connect()
    await wire.result("resources/subscribe", {"uri": "note:///a"})
    await wire.result("resources/subscribe", {"uri": "note:///a"})
    assert watch(wire, desk, "note:///several", "page:///one", "nosuch:///a") == []
    assert watch(wire, desk, "note:///a") == [{"uri": "note:///a"}]
    assert other.news(UPDATED) == []


@covers("resources.unsubscribe")
async def test_unsubscribe(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("resources/subscribe", {"uri": "note:///a"})
    for _ in range(2):
        assert await wire.result("resources/unsubscribe", {"uri": "note:///a"}) == {}
    assert watch(wire, desk, "note:///a") == []
    assert (await wire.error("resources/unsubscribe", {}))["code"] == -32602


@covers("resources.subscribe.unknown")
async def test_subscribe_to_unknown(desk: Desk) -> None:
    wire = await desk.connect()
    error = await wire.error("resources/subscribe", {"uri": "nosuch:///a"})
    assert (error["code"], error["data"]) == (-32002, {"uri": "nosuch:///a"})
    assert (await wire.error("resources/subscribe", {}))["code"] == -32602


@covers("resources.subscribe.hidden")
async def test_subscribe_to_hidden(desk: Desk) -> None:
    wire = await desk.connect()
    assert await wire.answers_alike("resources/subscribe", lambda uri: {"uri": uri}, "locked:///a", "locked:///b")


@covers("resources.subscribe.rights-now")
async def test_right_to_read_is_gone(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("resources/subscribe", {"uri": "disk:///note.txt"})
    assert watch(wire, desk, "disk:///note.txt") == [{"uri": "disk:///note.txt"}]
    desk.reload(allow=("FILE_READ other.txt",))
    assert watch(wire, desk, "disk:///note.txt") == []
    desk.reload(clients=("other",))
    assert watch(wire, desk, "disk:///note.txt") == []


@covers("resources.subscribe.modern")
async def test_nothing_is_told_unasked(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("resources/read", {"uri": "note:///a"})
    assert watch(wire, desk, "note:///a") == []
