"""What a client may not use it cannot tell from what does not exist; and what it says of itself changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.markers.deletes import Deletes
from mcp_server.tools.module import Module
from tests.security.chain.house import House, Wire

Make = Callable[[Module, str], House]

POLICY = """
[client.local]
folders = ["folder"]
allow = ["FILE_READ **"]
tools = ["open_*", "erase"]
[client.admin]
folders = ["folder"]
allow = ["FILE_READ **", "FILE_DELETE **", "CUSTOM_BELL **"]
"""


def module_with_hidden() -> Module:
    module = Module("hidden")
    bell = Permission(PermissionType.custom("CUSTOM_BELL"), "**")

    @module.tool
    async def open_door() -> str:
        """Everybody's."""
        return "open"

    @module.tool
    async def closed_door(text: str) -> str:
        """Not shown by name."""
        return text

    @module.tool
    async def erase(path: Annotated[Path, Deletes("**")]) -> str:
        """Shown by name, but no grant covers it."""
        return str(path)

    @module.prompt(permissions=[bell])
    async def secret_prompt(topic: str) -> str:
        """Needs a bell."""
        return topic

    @module.resource("secret://one", permissions=[bell])
    async def secret_resource() -> str:
        return "secret"

    @module.resource("secret://of/{name}", permissions=[bell])
    async def secret_template(name: str) -> str:
        return name

    @module.completion("secret_prompt", "topic")
    async def topics(value: str) -> list[str]:
        return ["secret topic"]

    return module


async def both(wire: Wire, method: str, hidden: dict[str, Any], unknown: dict[str, Any]) -> tuple[str, str]:
    """Ask for something hidden and for something that does not exist; return both answers without id and asked name."""
    texts = []
    for params in (hidden, unknown):
        answer = await wire.ask(method, **params)
        answer.pop("id")
        reference = params.get("ref", params)
        texts.append(str(answer).replace(str(reference.get("name") or reference.get("uri")), "NAME"))
    return texts[0], texts[1]


CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "tool hidden by name": (
        "tools/call",
        {"name": "closed_door", "arguments": {"text": "x"}},
        {"name": "no_such_door", "arguments": {"text": "x"}},
    ),
    "tool hidden by name, wrong arguments": (
        "tools/call",
        {"name": "closed_door", "arguments": {"nonsense": 1}},
        {"name": "no_such_door", "arguments": {"nonsense": 1}},
    ),
    "tool without any grant": (
        "tools/call",
        {"name": "erase", "arguments": {"path": "a"}},
        {"name": "nosuch", "arguments": {"path": "a"}},
    ),
    "tool without any grant, bound argument of the wrong type": (
        "tools/call",
        {"name": "erase", "arguments": {"path": 5}},
        {"name": "nosuch", "arguments": {"path": 5}},
    ),
    "tool without any grant, bound argument that leads out": (
        "tools/call",
        {"name": "erase", "arguments": {"path": "../../etc/passwd"}},
        {"name": "nosuch", "arguments": {"path": "../../etc/passwd"}},
    ),
    "prompt": (
        "prompts/get",
        {"name": "secret_prompt", "arguments": {"topic": "x"}},
        {"name": "no_such_prompt", "arguments": {"topic": "x"}},
    ),
    "prompt, wrong arguments": (
        "prompts/get",
        {"name": "secret_prompt", "arguments": {"nonsense": "x"}},
        {"name": "no_such_prompt", "arguments": {"nonsense": "x"}},
    ),
    "resource": ("resources/read", {"uri": "secret://one"}, {"uri": "secret://two"}),
    "template": ("resources/read", {"uri": "secret://of/x"}, {"uri": "nowhere://of/x"}),
    "completion of a prompt": (
        "completion/complete",
        {"ref": {"type": "ref/prompt", "name": "secret_prompt"}, "argument": {"name": "topic", "value": ""}},
        {"ref": {"type": "ref/prompt", "name": "no_such_prompt"}, "argument": {"name": "topic", "value": ""}},
    ),
    "completion of a template by one of its addresses": (
        "completion/complete",
        {"ref": {"type": "ref/resource", "uri": "secret://of/x"}, "argument": {"name": "name", "value": ""}},
        {"ref": {"type": "ref/resource", "uri": "nowhere://of/x"}, "argument": {"name": "name", "value": ""}},
    ),
    "completion of a template": (
        "completion/complete",
        {"ref": {"type": "ref/resource", "uri": "secret://of/{name}"}, "argument": {"name": "name", "value": ""}},
        {"ref": {"type": "ref/resource", "uri": "nowhere://{name}"}, "argument": {"name": "name", "value": ""}},
    ),
}


@pytest.mark.parametrize("revision", [None, "2024-11-05", "2025-06-18", "2025-11-25"])
def test_what_is_hidden_is_answered_like_what_does_not_exist(house: Make, revision: str | None) -> None:
    async def attack() -> None:
        async with house(module_with_hidden(), POLICY) as server:
            wire = server.connect()
            if revision is not None:
                await wire.shake_hands(revision)
            answers = {name: await both(wire, *case) for name, case in CASES.items()}
            assert {name: pair for name, pair in answers.items() if pair[0] != pair[1]} == {}

    asyncio.run(attack())


def test_a_subscription_to_a_hidden_resource_is_answered_like_one_to_nothing(house: Make) -> None:
    async def attack() -> None:
        async with house(module_with_hidden(), POLICY) as server:
            wire = server.connect()
            await wire.shake_hands()
            hidden, unknown = await both(wire, "resources/subscribe", {"uri": "secret://one"}, {"uri": "secret://two"})
            assert hidden == unknown
            assert "error" in hidden

    asyncio.run(attack())


def test_the_same_names_lead_somewhere_for_a_client_with_the_rights(house: Make) -> None:
    # The control: the names are right, and it is the client that makes the difference.
    async def attack() -> None:
        async with house(module_with_hidden(), POLICY) as server:
            admin = server.connect("admin")
            assert await admin.text("closed_door", text="hello") == "hello"
            assert "result" in await admin.ask("resources/read", uri="secret://one")
            assert "result" in await admin.ask("prompts/get", name="secret_prompt", arguments={"topic": "x"})

    asyncio.run(attack())


def test_a_hidden_call_is_on_record_as_denied_with_the_name_that_was_tried(house: Make) -> None:
    async def attack() -> None:
        async with house(module_with_hidden(), POLICY) as server:
            wire = server.connect()
            await wire.call("closed_door", text="x")
            (record,) = [each for each in server.records if each["kind"] == "call.denied"]
            assert (record["decision"], record["tool"]) == ("deny", "closed_door")

    asyncio.run(attack())


@pytest.mark.parametrize(
    "name", ["open_door ", "\uff4fpen_door", "open\u200d_door", "OPEN_DOOR", "open_door\n", "open-door"]
)
def test_a_name_that_only_looks_like_another_is_unknown(house: Make, name: str) -> None:
    async def attack() -> None:
        async with house(module_with_hidden(), POLICY) as server:
            wire = server.connect()
            assert "error" in await wire.call(name)
            assert await wire.text("open_door") == "open"

    asyncio.run(attack())


def test_each_client_lists_what_it_may_use_and_no_more(house: Make) -> None:
    async def attack() -> None:
        async with house(module_with_hidden(), POLICY) as server:
            listed = {}
            for profile in ("local", "admin"):
                wire = server.connect(profile)
                tools = (await wire.ask("tools/list"))["result"]["tools"]
                prompts = (await wire.ask("prompts/list"))["result"]["prompts"]
                resources = (await wire.ask("resources/list"))["result"]["resources"]
                templates = (await wire.ask("resources/templates/list"))["result"]["resourceTemplates"]
                listed[profile] = ({each["name"] for each in tools}, len(prompts), len(resources), len(templates))
            assert listed == {
                "local": ({"open_door"}, 0, 0, 0),
                "admin": ({"open_door", "closed_door", "erase"}, 1, 1, 1),
            }

    asyncio.run(attack())


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_a_client_that_calls_itself_admin_is_who_it_was(house: Make, legacy: bool) -> None:
    async def attack() -> None:
        async with house(module_with_hidden(), POLICY) as server:
            wire = server.connect("local")
            wire.name = "admin"
            if legacy:
                await wire.shake_hands(profile="admin", client="admin", uid=0)
            answer = await wire.ask(
                "tools/call", name="closed_door", arguments={"text": "x"}, profile="admin", client="admin"
            )
            assert answer["error"]["message"] == "unknown tool: 'closed_door'"
            tools = (await wire.ask("tools/list"))["result"]["tools"]
            assert [each["name"] for each in tools] == ["open_door"]
            assert {each["client"] for each in server.records if "client" in each} == {"local"}

    asyncio.run(attack())


def test_a_stranger_learns_neither_names_nor_why(house: Make) -> None:
    async def attack() -> None:
        async with house(module_with_hidden(), POLICY) as server:
            wire = server.connect("nobody")
            answers = [
                await wire.ask("tools/list"),
                await wire.call("open_door"),
                await wire.call("closed_door"),
                await wire.call("no_such_door"),
                await wire.ask("resources/read", uri="secret://one"),
                await wire.ask("prompts/list"),
            ]
            assert {str(each["error"]) for each in answers} == {str(answers[0]["error"])}
            assert answers[0]["error"]["code"] == 4010
            assert b"door" not in b"".join(wire.raw)
            assert [each["kind"] for each in server.records].count("auth.fail") == len(answers)

    asyncio.run(attack())
