"""A client with `separate_process`, through the whole chain: what it sees, what the policy says, what is on record."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.markers.writes import Writes
from mcp_server.tools.module import Module
from tests.security.chain.house import House

CONFINED = pytest.mark.parametrize((), [()] if BrokerFactory.problem() is None else [])
INSIDE = '[client.local]\nfolders = ["folder"]\nallow = ["FILE_READ **", "FILE_WRITE **", "DIRECTORY_LIST **"]\n'
APART = INSIDE + "separate_process = true\n"


def desk() -> Module:
    module = Module("desk")

    @module.tool
    async def read(path: Annotated[Path, Reads("**")], client: ClientContext) -> str:
        """Read."""
        return await client.files.read_text(path)

    @module.tool
    async def write(path: Annotated[Path, Writes("**")], text: str, client: ClientContext) -> str:
        """Write."""
        return str((await client.files.write_text(path, text)).size)

    return module


def with_house(tmp_path: Path, policy: str, work: Callable[[House], Awaitable[None]]) -> None:
    async def run() -> None:
        async with House(tmp_path, desk(), policy) as house:
            (house.folder / "note.txt").write_text("a note")
            await work(house)

    asyncio.run(run())


def files_of(house: House) -> object:
    return house.lifecycle.security.clients._records["local"].files


def broker_of(house: House) -> int:
    files = files_of(house)
    assert isinstance(files, BrokeredFiles)
    assert files.broker_pid is not None
    return files.broker_pid


def is_gone(pidfd: int) -> bool:
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(10_000))


@CONFINED
def test_a_client_is_served_as_ever_and_its_files_are_opened_elsewhere(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        wire = house.connect()
        assert await wire.text("read", path="note.txt") == "a note"
        assert await wire.text("write", path="new.txt", text="new") == "3"
        assert (house.folder / "new.txt").read_text() == "new"
        pid = broker_of(house)
        refusal = await wire.refusal("read", path="missing")
        assert "does not exist" in refusal["text"]
        os.symlink("/etc/passwd", house.folder / "link")
        assert "symbolic link" in (await wire.refusal("read", path="link"))["text"]
        seen.append(pid)

    seen: list[int] = []
    with_house(tmp_path, APART, work)
    # It ends with the server.
    assert not Path(f"/proc/{seen[0]}").exists()


@CONFINED
def test_a_hung_broker_holds_up_its_own_client_and_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    policy = APART + '[client.other]\nfolders = ["other"]\nallow = ["FILE_READ **"]\n'

    async def work(house: House) -> None:
        (tmp_path / "other" / "b.txt").write_text("of the other")
        wire, other = house.connect(), house.connect("other")
        assert await wire.text("read", path="note.txt") == "a note"
        pid = broker_of(house)
        os.kill(pid, signal.SIGSTOP)
        try:
            hung = wire.begin("tools/call", {"name": "read", "arguments": {"path": "note.txt"}})
            for _ in range(5):
                assert await other.text("read", path="b.txt") == "of the other"
            assert not hung.done()
        finally:
            os.kill(pid, signal.SIGCONT)
        async with asyncio.timeout(10):
            assert "error" not in await hung

    with_house(tmp_path, policy, work)


@CONFINED
def test_the_end_of_a_broker_is_on_record_and_the_next_call_is_served(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        wire = house.connect()
        assert await wire.text("read", path="note.txt") == "a note"
        pid = broker_of(house)
        pidfd = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        assert is_gone(pidfd)
        os.close(pidfd)
        assert await wire.text("read", path="note.txt") == "a note"
        assert broker_of(house) != pid
        ends = [each for each in house.records if each["kind"] == "broker.end"]
        assert [(each["client"], each["reason"]) for each in ends] == [("local", "died")]

    with_house(tmp_path, APART, work)


@CONFINED
@pytest.mark.parametrize("change", ["the key", "the folders", "the quota"])
def test_a_reload_ends_the_broker_and_begins_as_the_policy_says_now(change: str, tmp_path: Path) -> None:
    (tmp_path / "further").mkdir()
    after = {
        "the key": INSIDE,
        "the folders": APART.replace('["folder"]', '["folder", "further"]'),
        "the quota": APART + "limits = { workspace_files = 9 }\n",
    }[change]

    async def work(house: House) -> None:
        wire = house.connect()
        assert await wire.text("read", path="note.txt") == "a note"
        pid = broker_of(house)
        pidfd = os.pidfd_open(pid)
        house.write_policy(after)
        assert house.lifecycle.reload_policy()
        assert await wire.text("read", path="note.txt") == "a note"
        assert is_gone(pidfd)
        os.close(pidfd)
        if change == "the key":
            assert isinstance(files_of(house), FileSystemManager)
        else:
            assert broker_of(house) != pid
        # Nobody is told of an end that was wanted.
        assert [each for each in house.records if each["kind"] == "broker.end"] == []

    with_house(tmp_path, APART, work)


@CONFINED
def test_a_reload_that_brings_the_key_takes_the_files_out_of_the_server(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        wire = house.connect()
        assert await wire.text("read", path="note.txt") == "a note"
        assert isinstance(files_of(house), FileSystemManager)
        house.write_policy(APART)
        assert house.lifecycle.reload_policy()
        assert await wire.text("read", path="note.txt") == "a note"
        assert broker_of(house)

    with_house(tmp_path, INSIDE, work)


@CONFINED
def test_other_rules_keep_the_broker(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        wire = house.connect()
        assert await wire.text("read", path="note.txt") == "a note"
        pid = broker_of(house)
        house.write_policy(APART.replace('"FILE_WRITE **", ', ""))
        assert house.lifecycle.reload_policy()
        assert await wire.text("read", path="note.txt") == "a note"
        assert broker_of(house) == pid

    with_house(tmp_path, APART, work)


def test_a_policy_that_asks_for_what_the_kernel_has_not_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    loader = PolicyLoader(broker_problem=lambda: "this kernel has no Landlock")
    with pytest.raises(
        ConfigurationError, match=r"'separate_process' in \[client\.local\]: this kernel has no Landlock; leave it out"
    ) as caught:
        loader.parse("version = 1\n" + APART, base=tmp_path)
    assert caught.value.line == 5
    # Whoever does not ask for it is not refused.
    loader.parse("version = 1\n" + INSIDE + "separate_process = false\n", base=tmp_path)
