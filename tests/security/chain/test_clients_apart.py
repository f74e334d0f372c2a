"""Two clients of one server: neither sees, holds or spends anything of the other's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.module import Module
from tests.security.chain.chain_rig import ChainRig, operation
from tests.security.chain.house import House

Make = Callable[[Module, str], House]
POLICY = """
[client.local]
folders = ["folder"]
allow = ["FILE_READ **"]
[client.other]
folders = ["state-of-other"]
allow = ["FILE_READ **"]
"""


def module_with_memory() -> Module:
    module = Module("memory")

    @module.tool
    async def remember(key: str, value: str, client: ClientContext) -> str:
        """Remember."""
        client.state[key] = value
        return "ok"

    @module.tool
    async def recall(key: str, client: ClientContext) -> str:
        """Recall."""
        return str(client.state.get(key, "nothing"))

    @module.tool
    async def keys(client: ClientContext) -> str:
        """List."""
        return " ".join(client.state)

    @module.tool
    async def read(path: Annotated[Path, Reads("**")], client: ClientContext) -> str:
        """Read."""
        return await client.files.read_text(path)

    @module.tool(timeout_seconds=600)
    async def hold(client: ClientContext) -> str:
        """Wait until taken back."""
        client.log.info("holding")
        await asyncio.Event().wait()
        return "never"

    return module


@pytest.fixture
def served(house: Make, tmp_path: Path) -> House:
    (tmp_path / "state-of-other").mkdir()
    (tmp_path / "state-of-other" / "mine.txt").write_text("other's own")
    server = house(module_with_memory(), POLICY)
    (server.folder / "mine.txt").write_text("local's own")
    return server


def test_state_of_one_client_is_invisible_to_the_other(served: House) -> None:
    async def attack() -> None:
        async with served as server:
            local, other = server.connect("local"), server.connect("other")
            await local.text("remember", key="token", value="swordfish")
            assert await other.text("recall", key="token") == "nothing"
            assert await other.text("keys") == ""
            await other.text("remember", key="token", value="mine")
            assert await local.text("recall", key="token") == "swordfish"
            # A second connection of the same client is the same client.
            assert await server.connect("local").text("recall", key="token") == "swordfish"

    asyncio.run(attack())


def test_the_same_words_lead_each_client_into_its_own_folder(served: House) -> None:
    async def attack() -> None:
        async with served as server:
            local, other = server.connect("local"), server.connect("other")
            assert await local.text("read", path="mine.txt") == "local's own"
            assert await other.text("read", path="mine.txt") == "other's own"
            theirs = str(server.directory / "state-of-other" / "mine.txt")
            for path in (theirs, "../state-of-other/mine.txt", f"./{theirs}"):
                details = await local.refusal("read", path=path)
                assert details["code"] in (4030, 4032, 5031)
            assert b"other's own" not in b"".join(local.raw)

    asyncio.run(attack())


def test_a_cursor_of_one_client_is_refused_from_the_other(house: Make) -> None:
    module = Module("many")
    for number in range(300):

        async def handler(client: Any, params: dict[str, Any]) -> str:
            return "x"

        module.register_tool(
            name=f"tool_{number}", description="One of many.", input_schema={"type": "object"}, handler=handler
        )
    policy = '[client.local]\n[client.other]\ntools = ["tool_1*"]\n'

    async def attack() -> None:
        async with house(module, policy) as server:
            local, other = server.connect("local"), server.connect("other")
            cursor = (await local.ask("tools/list"))["result"].get("nextCursor")
            if cursor is not None:
                answer = await other.ask("tools/list", cursor=cursor)
                assert "error" in answer, "a list of other tools must not go on where this one stopped"
            listed = {each["name"] for each in (await other.ask("tools/list"))["result"]["tools"]}
            assert all(name.startswith("tool_1") for name in listed)

    asyncio.run(attack())


def test_one_client_cannot_take_back_the_call_of_another(served: House) -> None:
    async def attack() -> None:
        async with served as server:
            local, other = server.connect("local"), server.connect("other")
            await local.shake_hands()
            await other.shake_hands()
            call = local.begin("tools/call", {"name": "hold", "arguments": {}})
            for _ in range(5):
                await asyncio.sleep(0)
            number = next(iter(local.connection.exchanges))
            other.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})
            for _ in range(5):
                await asyncio.sleep(0)
            assert list(local.connection.exchanges) == [number]
            assert not call.done()
            local.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})
            for _ in range(5):
                await asyncio.sleep(0)
            assert local.connection.exchanges == {}
            assert not call.done()

    asyncio.run(attack())


def test_messages_of_a_call_go_to_its_own_client_only(served: House) -> None:
    async def attack() -> None:
        async with served as server:
            local, other = server.connect("local"), server.connect("other")
            await local.shake_hands()
            await other.shake_hands()
            local.begin("tools/call", {"name": "hold", "arguments": {}})
            for _ in range(5):
                await asyncio.sleep(0)
            assert [each["method"] for each in local.asked] == ["notifications/message"]
            assert other.asked == []

    asyncio.run(attack())


def test_one_clients_limits_are_not_spent_by_the_other(rig: ChainRig) -> None:
    rig.permissions.replace(rig.policy("version = 1\n[client.local]\nlimits={calls_per_minute=2}\n[client.other]\n"))

    async def fine(client: Any) -> str:
        return str(client.profile)

    async def attack() -> None:
        for _ in range(10):
            assert await rig.chain.run(rig.other, lambda principal: operation(fine)) == "other"
        for _ in range(2):
            assert await rig.chain.run(rig.local, lambda principal: operation(fine)) == "local"

    asyncio.run(attack())


def test_a_module_that_keeps_a_context_lends_nobody_its_rights(rig: ChainRig) -> None:
    reads = Permission(PermissionType.FILE_READ, "**")
    stolen: list[Any] = []

    async def steals(client: Any) -> str:
        stolen.append(client)
        await asyncio.sleep(0)
        return "ok"

    async def uses(client: Any) -> str:
        return str(await stolen[0].files.read_text("note.txt"))

    async def attack() -> None:
        await rig.chain.run(rig.local, lambda principal: operation(steals, permissions=(reads,)))
        with pytest.raises(MCPServerError):
            await rig.chain.run(rig.other, lambda principal: operation(uses, permissions=(reads,)))

    asyncio.run(attack())


def test_nothing_is_left_of_a_connection_that_has_ended(served: House) -> None:
    async def attack() -> None:
        async with served as server:
            authentication = server.lifecycle.security.chain._authentication
            for _ in range(20):
                wire = server.connect("local")
                await wire.text("keys")
                wire.begin("tools/call", {"name": "hold", "arguments": {}})
                for _ in range(3):
                    await asyncio.sleep(0)
                await server.lifecycle.protocol.handler.close(wire.connection, 0.0)
                assert wire.connection.exchanges == {}
            assert authentication._principals == {}
            assert server.lifecycle.security.watch.count == 0
            record = server.lifecycle.security.clients._records["local"]
            assert record.running == 0

    asyncio.run(attack())
