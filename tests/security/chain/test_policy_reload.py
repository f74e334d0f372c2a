"""The policy changes while calls run: the next decision is the new policy's, and a bad file changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.module import Module
from tests.security.chain.chain_rig import ChainRig, operation
from tests.security.chain.house import House

Make = Callable[[Module, str], House]
OPEN = '[client.local]\nfolders = ["folder"]\nallow = ["FILE_READ **"]\n[client.other]\n'
CLOSED = (
    '[client.local]\nfolders = ["folder"]\nallow = ["FILE_READ **"]\ndeny = ["FILE_READ note.txt"]\n[client.other]\n'
)
WITHOUT = "[client.other]\n"


def reader() -> Module:
    module = Module("reader")

    @module.tool
    async def read(path: Annotated[Path, Reads("**")], client: ClientContext) -> str:
        """Read."""
        return await client.files.read_text(path)

    return module


def opened(house: Make) -> House:
    server = house(reader(), OPEN)
    (server.folder / "note.txt").write_text("a note")
    return server


def kinds(server: House) -> list[str]:
    return [str(each["kind"]) for each in server.records if str(each["kind"]).startswith("policy.")]


def test_the_first_call_after_a_reload_follows_the_new_policy(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            wire = server.connect()
            for round_number in range(5):
                assert await wire.text("read", path="note.txt") == "a note"
                server.write_policy(CLOSED + f"# {round_number}\n")
                assert server.lifecycle.reload_policy()
                assert (await wire.refusal("read", path="note.txt"))["code"] == 4030
                server.write_policy(OPEN + f"# {round_number}\n")
                assert server.lifecycle.reload_policy()

    asyncio.run(attack())


def test_calls_already_received_but_not_begun_follow_the_new_policy_too(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            wire = server.connect()
            calls = [wire.begin("tools/call", {"name": "read", "arguments": {"path": "note.txt"}}) for _ in range(20)]
            server.write_policy(CLOSED)
            assert server.lifecycle.reload_policy()
            async with asyncio.timeout(10):
                answers = await asyncio.gather(*calls)
            assert all(answer["result"].get("isError") for answer in answers)

    asyncio.run(attack())


def test_a_running_handler_loses_at_the_door_what_a_reload_took_away(rig: ChainRig) -> None:
    reads = Permission(PermissionType.FILE_READ, "**")

    async def reads_twice(client: Any) -> str:
        assert await client.files.read_text("note.txt") == "text of note.txt"
        rig.permissions.replace(rig.policy('version = 1\n[client.local]\nfolders = ["folder"]\n'))
        return str(await client.files.read_text("note.txt"))

    with pytest.raises(PermissionDeniedError):
        asyncio.run(rig.chain.run(rig.local, lambda principal: operation(reads_twice, permissions=(reads,))))


def test_a_running_handler_of_a_client_that_was_removed_loses_everything(rig: ChainRig) -> None:
    reads = Permission(PermissionType.FILE_READ, "**")

    async def reads_late(client: Any) -> str:
        rig.permissions.replace(rig.policy("version = 1\n[client.other]\n"))
        return str(await client.files.read_text("note.txt"))

    with pytest.raises(PermissionDeniedError):
        asyncio.run(rig.chain.run(rig.local, lambda principal: operation(reads_late, permissions=(reads,))))


@pytest.mark.parametrize(
    "bad",
    [
        "this is not TOML [",
        '[client.local]\nalow = ["FILE_READ **"]\n',
        '[client.local]\nallow = ["FILE_REED **"]\n',
        '[client.local]\nallow = ["FILE_READ /x/../**"]\n',
        "[client.local]\nlimits = { calls_per_minute = -1 }\n",
        "\x00",
    ],
)
def test_a_bad_file_keeps_the_old_policy_and_is_on_record(house: Make, bad: str) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            wire = server.connect()
            digest = server.lifecycle.security.permissions.policy.digest
            server.write_policy(bad)
            assert not server.lifecycle.reload_policy()
            assert kinds(server)[-1] == "policy.rejected"
            assert server.lifecycle.security.permissions.policy.digest == digest
            assert await wire.text("read", path="note.txt") == "a note"
            # The control: a good one afterwards is taken.
            server.write_policy(CLOSED)
            assert server.lifecycle.reload_policy()
            assert kinds(server)[-1] == "policy.loaded"
            assert (await wire.refusal("read", path="note.txt"))["code"] == 4030

    asyncio.run(attack())


def test_a_file_that_others_may_write_is_not_taken(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            server.write_policy(CLOSED)
            server.policy_path.chmod(0o666)
            assert not server.lifecycle.reload_policy()
            assert await server.connect().text("read", path="note.txt") == "a note"

    asyncio.run(attack())


def test_a_file_that_is_gone_changes_nothing(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            server.policy_path.unlink()
            assert not server.lifecycle.reload_policy()
            assert await server.connect().text("read", path="note.txt") == "a note"

    asyncio.run(attack())


def test_a_client_that_the_policy_names_no_more_is_a_stranger_at_once(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            wire = server.connect()
            assert await wire.text("read", path="note.txt") == "a note"
            server.write_policy(WITHOUT)
            assert server.lifecycle.reload_policy()
            for answer in (
                await wire.call("read", path="note.txt"),
                await wire.call("no_such_tool"),
                await wire.ask("tools/list"),
                await wire.ask("resources/read", uri="x://y"),
            ):
                assert answer["error"]["code"] == 4010
            assert [each["kind"] for each in server.records].count("auth.fail") == 4
            # It comes back when the policy names it again.
            server.write_policy(OPEN)
            assert server.lifecycle.reload_policy()
            assert await wire.text("read", path="note.txt") == "a note"

    asyncio.run(attack())


def test_lists_follow_the_new_policy_and_clients_are_told(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            wire = server.connect()
            await wire.shake_hands()
            assert len((await wire.ask("tools/list"))["result"]["tools"]) == 1
            server.write_policy('[client.local]\nfolders = ["folder"]\n')
            assert server.lifecycle.reload_policy()
            assert (await wire.ask("tools/list"))["result"]["tools"] == []
            assert "notifications/tools/list_changed" in [each["method"] for each in wire.asked]

    asyncio.run(attack())


def test_other_folders_are_in_force_at_the_next_call_and_the_old_ones_are_not(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            wire = server.connect()
            assert await wire.text("read", path="note.txt") == "a note"
            second = server.directory / "second"
            second.mkdir()
            (second / "note.txt").write_text("another note")
            server.write_policy('[client.local]\nfolders = ["second"]\nallow = ["FILE_READ **"]\n')
            assert server.lifecycle.reload_policy()
            assert await wire.text("read", path="note.txt") == "another note"
            details = await wire.refusal("read", path=str(server.folder / "note.txt"))
            assert details["code"] in (4030, 4032)

    asyncio.run(attack())


def test_a_folder_that_vanished_refuses_without_naming_it(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            wire = server.connect()
            await wire.text("read", path="note.txt")
            secret = server.directory / "name-of-the-host"
            secret.mkdir()
            server.write_policy('[client.local]\nfolders = ["name-of-the-host"]\nallow = ["FILE_READ **"]\n')
            assert server.lifecycle.reload_policy()
            secret.rmdir()
            for answer in (await wire.call("read", path="note.txt"), await wire.ask("tools/list")):
                assert "error" in answer or answer["result"]["isError"]
            assert b"name-of-the-host" not in b"".join(server.sent)
            assert [each["kind"] for each in server.records][-2:] == ["call.denied", "call.denied"]

    asyncio.run(attack())


def test_the_record_of_each_decision_names_the_policy_it_was_made_under(house: Make) -> None:
    async def attack() -> None:
        async with opened(house) as server:
            wire = server.connect()
            await wire.text("read", path="note.txt")
            before = server.lifecycle.security.permissions.policy.digest
            server.write_policy(CLOSED)
            server.lifecycle.reload_policy()
            after = server.lifecycle.security.permissions.policy.digest
            await wire.refusal("read", path="note.txt")
            used = [each["policy"] for each in server.records if each.get("tool") == "read" and "policy" in each]
            assert used[0] == before
            assert used[-1] == after != before

    asyncio.run(attack())
