"""A client's files as resources: listed for the client, watched from outside, in both eras, through the whole chain."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mcp_server.client.memory_client import MODERN, MemoryClient
from mcp_server.core.lifecycle import Lifecycle
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.request_meta import SUBSCRIPTION_ID
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.tools.modules.filesystem_module import FilesystemModule
from mcp_server.tools.published_resource_manager import MAX_LISTED

LEGACY = "2025-11-25"
ERAS = pytest.mark.parametrize("revision", ["2024-11-05", LEGACY, MODERN])
EVERYTHING = ("FILE_READ **", "DIRECTORY_LIST **", "FILE_WRITE **")


class Listener(MemoryClient):
    """Hands on each notification as it comes."""

    def __init__(self, **options: Any) -> None:
        self.news: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        super().__init__(**options)

    def _deliver(self, data: bytes) -> None:
        before = len(self.notifications)
        super()._deliver(data)
        for message in self.notifications[before:]:
            self.news.put_nowait(message)

    async def next(self, method: str) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while (message := await self.news.get())["method"] != method:
                pass
        return dict(message["params"])

    def listen(self, *uris: str) -> asyncio.Task[dict[str, Any]]:
        return asyncio.ensure_future(
            self.request("subscriptions/listen", {"notifications": {"resourceSubscriptions": list(uris)}})
        )


@asynccontextmanager
async def desk(
    tmp_path: Path,
    revision: str,
    *,
    allow: Sequence[str] = EVERYTHING,
    ask: Sequence[str] = (),
    folders: Sequence[str] = ("folder",),
) -> AsyncIterator[tuple[Listener, Lifecycle]]:
    """Serve files to one client."""
    for name in folders:
        (tmp_path / name).mkdir(exist_ok=True)
    policy = (
        "version = 1\n[client.local]\n"
        f"folders = {[str(tmp_path / name) for name in folders]}\nallow = {list(allow)}\nask = {list(ask)}\n"
    )
    server = MCPServer("desk", policy=PolicyLoader().parse(policy), client="local", state=tmp_path / "state")
    server.register_module(FilesystemModule())
    lifecycle = server.lifecycle()
    await lifecycle.open()
    client = Listener(handler=lifecycle.protocol.handler, profile="local", revision=revision)
    try:
        await client.start()
        yield client, lifecycle
    finally:
        await client.close()
        await lifecycle.close("test ended")


def run(act: Callable[[], Any]) -> Any:
    return asyncio.run(act())


def uri_of(path: Path) -> str:
    return f"file://{quote(str(path))}"


async def subscribe(client: Listener, revision: str, uri: str) -> None:
    """Subscribe in the way of the era, and return when the server has said so."""
    if revision != MODERN:
        await client.request("resources/subscribe", {"uri": uri})
        return
    client.listen(uri)
    told = await client.next("notifications/subscriptions/acknowledged")
    assert told["notifications"]["resourceSubscriptions"] == [uri]


def write_outside(path: Path, data: bytes) -> None:
    """Write as another program would."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, data)
    os.close(descriptor)


@ERAS
def test_a_change_from_outside_is_told(tmp_path: Path, revision: str) -> None:
    async def act() -> None:
        async with desk(tmp_path, revision) as (client, _):
            file = tmp_path / "folder" / "a b.txt"
            file.write_text("one")
            await subscribe(client, revision, uri_of(file))
            write_outside(file, b"two")
            told = await client.next("notifications/resources/updated")
            assert told["uri"] == uri_of(file)
            assert (SUBSCRIPTION_ID in told.get("_meta", {})) is (revision == MODERN)
            read = await client.request("resources/read", {"uri": told["uri"]})
            assert read["contents"][0]["text"] == "onetwo"

    run(act)


@ERAS
def test_a_file_that_an_editor_replaces_is_told(tmp_path: Path, revision: str) -> None:
    async def act() -> None:
        async with desk(tmp_path, revision) as (client, _):
            file = tmp_path / "folder" / "a.txt"
            file.write_text("one")
            await subscribe(client, revision, uri_of(file))
            (tmp_path / "folder" / "new").write_text("two")
            os.replace(tmp_path / "folder" / "new", file)
            assert (await client.next("notifications/resources/updated"))["uri"] == uri_of(file)

    run(act)


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
def test_what_may_not_be_read_is_not_watched(tmp_path: Path, revision: str) -> None:
    async def act() -> None:
        async with desk(tmp_path, revision, allow=("FILE_READ *.txt",)) as (client, _):
            secret, plain = tmp_path / "folder" / "a.key", tmp_path / "folder" / "a.txt"
            secret.write_text("one")
            plain.write_text("one")
            if revision == MODERN:
                client.listen(uri_of(secret), uri_of(plain))
                told = await client.next("notifications/subscriptions/acknowledged")
                assert told["notifications"]["resourceSubscriptions"] == [uri_of(plain)]
            else:
                with pytest.raises(ProtocolError):
                    await subscribe(client, revision, uri_of(secret))
                await subscribe(client, revision, uri_of(plain))
            write_outside(secret, b"two")
            write_outside(plain, b"two")
            # The kernel tells of both in their order, and the first that is passed on is the second.
            assert (await client.next("notifications/resources/updated"))["uri"] == uri_of(plain)

    run(act)


@ERAS
def test_the_files_of_the_folders_are_listed(tmp_path: Path, revision: str) -> None:
    async def act() -> list[dict[str, Any]]:
        async with desk(tmp_path, revision, folders=("folder", "more")) as (client, _):
            folder = tmp_path / "folder"
            (folder / "b.md").write_text("# b")
            (folder / "a c.txt").write_text("a")
            (folder / "sub").mkdir()
            (folder / "sub" / "deep.txt").write_text("x")
            (folder / "link.txt").symlink_to(folder / "b.md")
            (tmp_path / "more" / "pixel.png").write_bytes(b"123")
            (tmp_path / "more" / os.fsdecode(b"\xff.txt")).write_text("x")
            resources: list[dict[str, Any]] = (await client.request("resources/list"))["resources"]
            for entry in resources:
                assert (await client.request("resources/read", {"uri": entry["uri"]}))["contents"]
            return resources

    entries = run(act)
    assert [entry["uri"] for entry in entries] == [
        uri_of(tmp_path / "folder" / "a c.txt"),
        uri_of(tmp_path / "folder" / "b.md"),
        uri_of(tmp_path / "more" / "pixel.png"),
    ]
    assert entries[0] == {
        "uri": uri_of(tmp_path / "folder" / "a c.txt"),
        "name": "a c.txt",
        "mimeType": "text/plain",
        "size": 1,
    }


@pytest.mark.parametrize(
    ("allow", "ask", "expected"),
    [
        (("FILE_READ *.txt", "DIRECTORY_LIST **"), (), ["a.txt"]),
        (("DIRECTORY_LIST **",), ("FILE_READ **",), []),
        (("FILE_READ **",), (), []),
        (("FILE_READ **",), ("DIRECTORY_LIST **",), []),
        ((), (), []),
    ],
)
def test_only_what_may_be_read_unasked_is_listed(
    tmp_path: Path, allow: Sequence[str], ask: Sequence[str], expected: list[str]
) -> None:
    async def act() -> list[dict[str, Any]]:
        async with desk(tmp_path, MODERN, allow=allow, ask=ask) as (client, _):
            for name in ("a.txt", "b.key"):
                (tmp_path / "folder" / name).write_text(name)
            resources: list[dict[str, Any]] = (await client.request("resources/list"))["resources"]
            return resources

    assert [entry["name"] for entry in run(act)] == expected


def test_the_bound_counts_what_is_shown(tmp_path: Path) -> None:
    async def act() -> list[str]:
        async with desk(tmp_path, MODERN, allow=("FILE_READ *.txt", "DIRECTORY_LIST **")) as (client, _):
            for number in range(MAX_LISTED + 1):
                (tmp_path / "folder" / f"{number:04}.key").touch()
            (tmp_path / "folder" / "z.txt").touch()
            return [entry["name"] for entry in (await client.request("resources/list"))["resources"]]

    assert run(act) == ["z.txt"]
