"""What the server tells unasked, and what listeners hear."""

from __future__ import annotations

from typing import Any

from tests.conformance.covers import covers
from tests.conformance.desk import Desk
from tests.conformance.wire import SUBSCRIPTION_ID, Wire
from tests.support.spec_validator import MODERN

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
UPDATED = "notifications/resources/updated"
LISTS = {
    "toolsListChanged": "notifications/tools/list_changed",
    "promptsListChanged": "notifications/prompts/list_changed",
    "resourcesListChanged": "notifications/resources/list_changed",
}


def change_everything(desk: Desk) -> None:
    """Change each of the three lists once."""
    module = desk.show.module
    module.remove_tool(next(iter(module.tools)))
    module.remove_prompt(next(iter(module.prompts)))
    module.remove_resource(next(uri for uri in module.resources if uri.startswith("note")))


async def listen(wire: Wire, request_id: Any, **notifications: Any) -> dict[str, Any]:
    """Open a subscription and return its acknowledgement."""
    wire.start("subscriptions/listen", {"notifications": notifications}, request_id=request_id)
    return await wire.until(lambda: acknowledgement(wire, request_id), "the acknowledgement")


def acknowledgement(wire: Wire, request_id: Any) -> dict[str, Any] | None:
    return next((each for each in wire.news(ACKNOWLEDGED) if each["_meta"][SUBSCRIPTION_ID] == request_id), None)


def heard(wire: Wire, request_id: Any) -> list[tuple[str, Any]]:
    """Return method and uri of what was told under a subscription's id."""
    return [
        (each["method"], each["params"].get("uri"))
        for each in wire.messages
        if "method" in each
        and each["method"] != ACKNOWLEDGED
        and each.get("params", {}).get("_meta", {}).get(SUBSCRIPTION_ID) == request_id
    ]


# Sessions


@covers("news.list-changed")
async def test_list_changed(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    change_everything(desk)
    assert [each["method"] for each in wire.messages[before:]] == list(LISTS.values())


@covers("news.capability")
async def test_capability(desk: Desk) -> None:
    wire = await desk.connect(shake_hands=False)
    declared = await (wire.result("server/discover") if desk.is_modern else wire.shake_hands())
    for kind in ("tools", "prompts", "resources"):
        assert declared["capabilities"][kind]["listChanged"] is True


@covers("news.after-reload")
async def test_change_of_rights(desk: Desk) -> None:
    wire = await desk.connect()
    before = len(wire.messages)
    desk.reload(allow=())
    assert [each["method"] for each in wire.messages[before:]] == list(LISTS.values())


@covers("news.modern-silent")
async def test_without_a_listener(desk: Desk) -> None:
    wire = await desk.connect()
    await wire.result("tools/list")
    before = len(wire.messages)
    change_everything(desk)
    desk.reload(allow=())
    assert len(wire.messages) == before


# subscriptions/listen


@covers("listen.acknowledged")
async def test_acknowledgement_comes_first(desk: Desk) -> None:
    wire = await desk.connect()
    for request_id in (5, "five"):
        wire.messages.clear()
        await listen(wire, request_id, toolsListChanged=True)
        assert wire.messages[0]["method"] == ACKNOWLEDGED
        assert wire.messages[0]["params"]["_meta"] == {SUBSCRIPTION_ID: request_id}
    await wire.settle()
    assert wire.answered(5) is None


@covers("listen.subset")
async def test_what_was_accepted(desk: Desk) -> None:
    wire = await desk.connect()
    assert (await listen(wire, 1))["notifications"] == {}
    wanted = {"toolsListChanged": True, "promptsListChanged": False}
    assert (await listen(wire, 2, **wanted))["notifications"] == {"toolsListChanged": True}
    both = {"resourcesListChanged": True, "resourceSubscriptions": ["note:///a"]}
    assert (await listen(wire, 3, **both))["notifications"] == both
    assert (await listen(wire, 4, somethingElse=True, taskIds=["x"]))["notifications"] == {}


@covers("listen.kinds")
async def test_only_what_was_asked_for(desk: Desk) -> None:
    wire = await desk.connect()
    for number, name in enumerate(LISTS):
        await listen(wire, number, **{name: True})
    await listen(wire, "none")
    change_everything(desk)
    for number, method in enumerate(LISTS.values()):
        assert heard(wire, number) == [(method, None)]
    assert heard(wire, "none") == []
    assert len(wire.messages) == 7


@covers("listen.resources")
async def test_updates_of_resources(desk: Desk) -> None:
    wire = await desk.connect()
    await listen(wire, 1, resourceSubscriptions=["note:///a", "page:///x", "note:///a"])
    for uri in ("note:///a", "note:///several", "page:///x", "page:///y"):
        desk.show.module.resource_updated(uri)
    assert heard(wire, 1) == [(UPDATED, "note:///a"), (UPDATED, "page:///x")]


@covers("listen.resources-hidden")
async def test_resources_that_may_not_be_read(desk: Desk) -> None:
    wire = await desk.connect()
    uris = ["locked:///a", "nosuch:///a", "disk:///key.pem", "disk:///note.txt", "disk:///maybe.ask"]
    accepted = (await listen(wire, 1, resourceSubscriptions=uris))["notifications"]
    assert accepted == {"resourceSubscriptions": ["disk:///note.txt"]}
    for uri in uris:
        desk.show.module.resource_updated(uri)
    assert heard(wire, 1) == [(UPDATED, "disk:///note.txt")]
    desk.reload(allow=("FILE_READ other.txt",))
    desk.show.module.resource_updated("disk:///note.txt")
    assert len(heard(wire, 1)) == 1


@covers("listen.several")
async def test_several_subscriptions(desk: Desk) -> None:
    wire, other = await desk.connect(), await desk.connect()
    await listen(wire, "a", toolsListChanged=True)
    await listen(wire, "b", toolsListChanged=True, promptsListChanged=True)
    await listen(other, "a", promptsListChanged=True)
    change_everything(desk)
    assert heard(wire, "a") == [(LISTS["toolsListChanged"], None)]
    assert heard(wire, "b") == [(LISTS["toolsListChanged"], None), (LISTS["promptsListChanged"], None)]
    assert heard(other, "a") == [(LISTS["promptsListChanged"], None)]


@covers("listen.cancel")
async def test_cancelled_subscription(desk: Desk) -> None:
    wire = await desk.connect()
    await listen(wire, "a", toolsListChanged=True)
    await listen(wire, "b", toolsListChanged=True)
    wire.cancel("a")
    change_everything(desk)
    await wire.settle()
    assert heard(wire, "a") == []
    assert len(heard(wire, "b")) == 1
    assert wire.answered("a") is None
    await listen(wire, "c", promptsListChanged=True)


@covers("listen.cancel-at-once")
async def test_subscription_cancelled_before_it_began(desk: Desk) -> None:
    wire = await desk.connect()
    for number in range(200):
        params = {"notifications": {"toolsListChanged": True, "resourceSubscriptions": ["note:///a"]}}
        wire.start("subscriptions/listen", params, request_id=number)
        wire.cancel(number)
    await wire.settle()
    change_everything(desk)
    assert wire.messages == []
    assert wire.connection.exchanges == {}
    assert wire.connection.subscriptions == {}


@covers("listen.server-end")
async def test_server_ends_it(desk: Desk) -> None:
    wire = await desk.connect()
    await listen(wire, "a", toolsListChanged=True)
    await listen(wire, 2)
    await wire.handler.close(wire.connection, 0.0)
    for request_id in ("a", 2):
        answer = wire.answered(request_id)
        assert answer is not None
        assert answer["result"]["resultType"] == "complete"
        assert answer["result"]["_meta"][SUBSCRIPTION_ID] == request_id
    before = len(wire.messages)
    change_everything(desk)
    assert len(wire.messages) == before


@covers("listen.malformed")
async def test_malformed_filter(desk: Desk) -> None:
    wire = await desk.connect()
    for bad in (
        {"toolsListChanged": "yes"},
        {"promptsListChanged": 1},
        {"resourcesListChanged": None},
        {"resourceSubscriptions": "note:///a"},
        {"resourceSubscriptions": [1]},
        {"resourceSubscriptions": None},
        [],
        None,
        "tools",
    ):
        assert (await wire.error("subscriptions/listen", {"notifications": bad}))["code"] == -32602
    assert wire.news(ACKNOWLEDGED) == []
    assert wire.connection.exchanges == {}


@covers("listen.duplicate-id")
async def test_id_of_an_open_subscription(desk: Desk) -> None:
    wire = await desk.connect()
    await listen(wire, "a", toolsListChanged=True)
    for method in ("subscriptions/listen", "tools/list"):
        wire.start(method, {"notifications": {}}, request_id="a")
        await wire.settle()
        assert wire.messages[-1]["error"]["code"] == -32600
    change_everything(desk)
    assert len(heard(wire, "a")) == 1


@covers("listen.limit")
async def test_bound_of_subscriptions(desk: Desk) -> None:
    wire = await desk.connect()
    for number in range(1024):
        wire.start("subscriptions/listen", {"notifications": {}}, request_id=number)
    await wire.until(lambda: wire.news(ACKNOWLEDGED) if len(wire.news(ACKNOWLEDGED)) == 1024 else None, "all")
    error = await wire.error("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, request_id="more")
    assert error["code"] == 4290
    uris = {"resourceSubscriptions": [f"page:///{number}" for number in range(1025)]}
    assert (await wire.error("subscriptions/listen", {"notifications": uris}, request_id="many"))["code"] == 4290
    wire.cancel(7)
    await listen(wire, "again", toolsListChanged=True)
    change_everything(desk)
    assert len(heard(wire, "again")) == 1


@covers("listen.no-slot")
async def test_subscriptions_take_no_place(desk: Desk) -> None:
    desk.limit(max_in_flight=1)
    wire = await desk.connect()
    for number in range(5):
        await listen(wire, f"listen{number}", toolsListChanged=True)
    assert (await wire.call("ring"))["content"][0]["text"] == "ding"
    # Nor does the end of a subscription make room for one call more than there is.
    for number in range(3):
        wire.start("tools/call", {"name": "slow"}, request_id=f"slow{number}")
    await wire.settle()
    for number in range(5):
        wire.cancel(f"listen{number}")
    await wire.settle()
    assert desk.show.began == ["ring", "slow"]
    desk.show.gate.set()
    for number in range(3):
        await wire.answer(f"slow{number}")


@covers("listen.waiting-calls")
async def test_calls_beside_many_subscriptions(desk: Desk) -> None:
    desk.limit(max_in_flight=2)
    wire = await desk.connect()
    for number in range(5):
        wire.start("subscriptions/listen", {"notifications": {}}, request_id=f"listen{number}")
    ids = [wire.start("tools/call", {"name": "ring"}) for _ in range(3)]
    wire.start("subscriptions/listen", {"notifications": []}, request_id="malformed")
    ids.append(wire.start("tools/call", {"name": "ring"}))
    for each in ids:
        assert "result" in await wire.answer(each)
    assert len(wire.news(ACKNOWLEDGED)) == 5


@covers("listen.in-session")
async def test_listener_beside_a_session(desk: Desk) -> None:
    wire = await desk.connect()
    wire.revision = MODERN
    await listen(wire, "modern", toolsListChanged=True)
    before = len(wire.messages)
    desk.show.module.remove_tool("echo")
    told = wire.messages[before:]
    assert [each["method"] for each in told] == [LISTS["toolsListChanged"]] * 2
    assert [SUBSCRIPTION_ID in each.get("params", {}).get("_meta", {}) for each in told] == [False, True]
