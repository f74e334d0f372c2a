"""The tools as a client meets them: through the whole chain, in memory."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import pytest

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.security.doors.file_door import FileDoor
from mcp_server.testing.client_for import client_for
from mcp_server.testing.module_client import ModuleClient
from mcp_server.tools.modules.filesystem_module import FilesystemModule

T = TypeVar("T")

EVERYTHING = ("FILE_READ **", "FILE_WRITE **", "DIRECTORY_LIST **")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    (path / "sub" / "deep").mkdir(parents=True)
    (path / "a.txt").write_text("one\ntwo\nthree\n")
    (path / "sub" / "b.md").write_text("# b\n")
    (path / "sub" / "deep" / "c.md").write_text("# c\n")
    return path


def within(
    folder: Path,
    work: Callable[[ModuleClient], Awaitable[T]],
    *,
    allow: tuple[str, ...] = EVERYTHING,
    deny: tuple[str, ...] = (),
    **options: Any,
) -> T:
    async def run() -> T:
        async with client_for(FilesystemModule(**options), folder=folder, allow=allow, deny=deny) as client:
            return await work(client)

    return asyncio.run(run())


def call(folder: Path, tool: str, /, **arguments: Any) -> Any:
    return within(folder, lambda client: client.call(tool, **arguments))


def failed(folder: Path, tool: str, /, **arguments: Any) -> str:
    result = within(folder, lambda client: client.result(tool, **arguments))
    assert result["isError"]
    return str(result["content"][0]["text"])


def test_names_and_arguments_are_those_of_the_reference_server() -> None:
    module = FilesystemModule()
    module.lower()
    expected = {
        "read_text_file": {"path", "head", "tail"},
        "read_file": {"path", "head", "tail"},
        "read_media_file": {"path"},
        "read_multiple_files": {"paths"},
        "write_file": {"path", "content"},
        "edit_file": {"path", "edits", "dryRun"},
        "create_directory": {"path"},
        "list_directory": {"path"},
        "list_directory_with_sizes": {"path", "sortBy"},
        "directory_tree": {"path", "excludePatterns"},
        "move_file": {"source", "destination"},
        "search_files": {"path", "pattern", "excludePatterns"},
        "get_file_info": {"path"},
        "list_allowed_directories": set(),
    }
    assert {name: set(tool.input_schema["properties"]) for name, tool in module.tools.items()} == expected
    changing = {name for name, tool in module.tools.items() if tool.has_effects}
    assert changing == {"write_file", "edit_file", "create_directory", "move_file"}
    for name, tool in module.tools.items():
        assert tool.permissions or name == "list_allowed_directories"


def test_read_text_file(folder: Path) -> None:
    assert call(folder, "read_text_file", path="a.txt") == "one\ntwo\nthree\n"
    assert call(folder, "read_text_file", path=f"{folder}/a.txt", head=2) == "one\ntwo\n"
    assert call(folder, "read_file", path="a.txt", tail=1) == "three\n"
    assert call(folder, "read_text_file", path="a.txt", head=0, tail=0) == "one\ntwo\nthree\n"
    assert "not both" in failed(folder, "read_text_file", path="a.txt", head=1, tail=1)
    (folder / "bytes").write_bytes(b"\xff\xfe")
    assert "read_media_file" in failed(folder, "read_text_file", path="bytes")


@pytest.mark.parametrize("text", ["".join(f"line {number} é\n" for number in range(500)), "é" * 3_000])
def test_a_long_text_is_cut_and_its_link_leads_to_the_rest(folder: Path, text: str) -> None:
    (folder / "long.txt").write_text(text)

    async def work(client: ModuleClient) -> tuple[str, list[str]]:
        result = await client.result("read_text_file", path="long.txt")
        first, note, link = result["content"]
        assert link["type"] == "resource_link"
        assert link["uri"] == f"file://{quote(str(folder))}/long.txt?offset={len(first['text'].encode())}"
        assert str(len(text.encode())) in note["text"]
        pieces, uri = [], link["uri"]
        while uri is not None:
            contents = (await client.request("resources/read", {"uri": uri}))["contents"]
            assert contents[0]["uri"] == uri
            pieces.append(contents[0]["text"])
            uri = contents[1]["uri"] if len(contents) > 1 else None
        return first["text"], pieces

    first, pieces = within(folder, work, output_budget_bytes=1_001)
    assert first + "".join(pieces) == text
    assert all(len(piece.encode()) <= 1_001 for piece in (first, *pieces))
    assert len(pieces) > 3


def test_long_heads_and_tails_are_cut_too(folder: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(500))
    (folder / "long.txt").write_text(text)
    for arguments, expected in (({"head": 400}, text), ({"tail": 100}, "".join(text.splitlines(True)[400:]))):
        result = within(
            folder,
            lambda client, a=arguments: client.result("read_text_file", path="long.txt", **a),
            output_budget_bytes=200,
        )
        shown = result["content"][0]["text"]
        assert expected.startswith(shown)
        offset = int(result["content"][2]["uri"].rpartition("=")[2])
        assert text[:offset].endswith(shown)


def test_read_media_file(folder: Path) -> None:
    (folder / "p.png").write_bytes(b"\x89PNG")
    (folder / "s.wav").write_bytes(b"RIFF")
    (folder / "x.bin").write_bytes(b"\x00\x01")

    async def work(client: ModuleClient) -> list[dict[str, Any]]:
        return [
            (await client.result("read_media_file", path=name))["content"][0] for name in ("p.png", "s.wav", "x.bin")
        ]

    image, audio, blob = within(folder, work)
    assert (image["type"], image["mimeType"], base64.b64decode(image["data"])) == ("image", "image/png", b"\x89PNG")
    assert (audio["type"], audio["mimeType"]) == ("audio", "audio/wav")
    assert base64.b64decode(blob["resource"]["blob"]) == b"\x00\x01"
    large = within(folder, lambda client: client.result("read_media_file", path="p.png"), media_budget_bytes=3)
    assert [block["type"] for block in large["content"]] == ["text", "resource_link"]


def test_read_multiple_files_reports_each(folder: Path) -> None:
    text = within(
        folder,
        lambda client: client.call("read_multiple_files", paths=["a.txt", "missing", "sub/b.md", "../x"]),
        deny=("FILE_READ sub/**",),
    )
    parts = text.split("\n---\n")
    assert parts[0] == "a.txt:\none\ntwo\nthree\n\n"
    assert parts[1] == "missing: Error - 'missing' does not exist"
    assert parts[2].startswith("sub/b.md: Error - ")
    assert "# b" not in text
    assert parts[3].startswith("../x: Error - ")


def test_read_multiple_files_shares_one_budget(folder: Path) -> None:
    for name in "xyz":
        (folder / name).write_text("line\n" * 100)
    result = within(
        folder, lambda client: client.result("read_multiple_files", paths=["x", "y", "z"]), output_budget_bytes=800
    )
    text, *links = result["content"]
    assert len(text["text"]) < 1_200
    assert [link["name"] for link in links] == ["y", "z"]


def test_write_file(folder: Path) -> None:
    assert call(folder, "write_file", path="new.txt", content="é") == "Successfully wrote to new.txt"
    assert (folder / "new.txt").read_text() == "é"
    assert "protected" in failed(folder, "write_file", path=".git/config", content="x")
    assert "does not exist" in failed(folder, "write_file", path="no/x", content="x")
    assert not (folder / "no").exists()


def test_edit_file(folder: Path) -> None:
    edits = [{"oldText": "two", "newText": "2"}]
    preview = call(folder, "edit_file", path="a.txt", edits=edits, dryRun=True)
    assert preview.startswith("```diff\n--- a.txt\toriginal\n+++ a.txt\tmodified\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n")
    assert (folder / "a.txt").read_text() == "one\ntwo\nthree\n"
    assert call(folder, "edit_file", path="a.txt", edits=edits) == preview
    assert (folder / "a.txt").read_text() == "one\n2\nthree\n"
    assert "nowhere" in failed(folder, "edit_file", path="a.txt", edits=edits)


def test_edit_file_does_not_overwrite_what_changed_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = FileDoor.write_text

    async def late(self: FileDoor, *arguments: Any, **options: Any) -> Any:
        (folder / "a.txt").write_text("somebody else's\n")
        return await original(self, *arguments, **options)

    monkeypatch.setattr(FileDoor, "write_text", late)
    message = failed(folder, "edit_file", path="a.txt", edits=[{"oldText": "two", "newText": "2"}])
    assert "changed" in message
    assert (folder / "a.txt").read_text() == "somebody else's\n"


def test_create_directory_and_move_file(folder: Path) -> None:
    call(folder, "create_directory", path="x/y")
    call(folder, "create_directory", path="x/y")
    call(folder, "move_file", source="a.txt", destination="x/y/z.txt")
    assert (folder / "x" / "y" / "z.txt").read_text() == "one\ntwo\nthree\n"
    assert "exists" in failed(folder, "move_file", source="sub/b.md", destination="x/y/z.txt")
    assert (folder / "sub" / "b.md").exists()


def test_list_directory(folder: Path) -> None:
    (folder / "link").symlink_to("a.txt")
    os.mkfifo(folder / "pipe")
    (folder / "new\n[FILE] forged").touch()
    assert call(folder, "list_directory", path=".").split("\n") == [
        "[FILE] a.txt",
        "[LINK] link",
        "[FILE] new\\n[FILE] forged",
        "[SPECIAL] pipe",
        "[DIR] sub",
    ]
    text = within(folder, lambda client: client.call("list_directory", path="."), output_budget_bytes=20)
    assert text.startswith("[FILE] a.txt\n[the list is cut")


def test_list_directory_with_sizes(folder: Path) -> None:
    lines = call(folder, "list_directory_with_sizes", path=".", sortBy="size").split("\n")
    assert lines[0].split() == ["[FILE]", "a.txt", "14", "B"]
    assert lines[1].split() == ["[DIR]", "sub"]
    assert lines[2:] == ["", "Total: 1 files, 1 directories", "Combined size: 14 B"]


def test_directory_tree(folder: Path) -> None:
    tree = json.loads(call(folder, "directory_tree", path="."))
    assert tree == [
        {"name": "a.txt", "type": "file"},
        {
            "name": "sub",
            "type": "directory",
            "children": [
                {"name": "b.md", "type": "file"},
                {"name": "deep", "type": "directory", "children": [{"name": "c.md", "type": "file"}]},
            ],
        },
    ]
    assert json.loads(call(folder, "directory_tree", path="sub", excludePatterns=["deep"])) == [
        {"name": "b.md", "type": "file"}
    ]
    result = within(folder, lambda client: client.result("directory_tree", path="."), output_budget_bytes=120)
    assert json.loads(result["content"][0]["text"])[0]["name"] == "a.txt"
    assert "cut" in result["content"][1]["text"]


def test_search_files(folder: Path) -> None:
    assert call(folder, "search_files", path=".", pattern="**/*.md").split("\n") == [
        f"{folder}/sub/b.md",
        f"{folder}/sub/deep/c.md",
    ]
    assert call(folder, "search_files", path="sub", pattern="*.md") == f"{folder}/sub/b.md"
    assert call(folder, "search_files", path=".", pattern="**/*.md", excludePatterns=["deep"]) == f"{folder}/sub/b.md"
    assert call(folder, "search_files", path=".", pattern="*.py") == "No matches found"


def test_searching_shows_nothing_that_is_denied(folder: Path) -> None:
    found = within(
        folder,
        lambda client: client.call("search_files", path=".", pattern="**"),
        deny=("DIRECTORY_LIST sub/deep/**",),
    )
    assert found.split("\n") == [f"{folder}/{name}" for name in ("a.txt", "sub", "sub/b.md", "sub/deep")]


def test_get_file_info_and_allowed_directories(folder: Path) -> None:
    facts = dict(line.split(": ", 1) for line in call(folder, "get_file_info", path="a.txt").split("\n"))
    assert (facts["size"], facts["isFile"], facts["isDirectory"]) == ("14", "true", "false")
    assert facts["modified"].endswith("+00:00")
    assert call(folder, "list_allowed_directories") == f"Allowed directories:\n{folder}"


def test_tools_that_may_never_be_used_are_not_there(folder: Path) -> None:
    async def work(client: ModuleClient) -> set[str]:
        assert (await client.denied("write_file", path="x", content="")).code == -32602
        return {tool["name"] for tool in (await client.request("tools/list"))["tools"]}

    names = within(folder, work, allow=("FILE_READ *.txt",))
    assert names == {
        "read_text_file",
        "read_file",
        "read_media_file",
        "read_multiple_files",
        "list_allowed_directories",
    }


def test_resources(folder: Path) -> None:
    (folder / "a b?.txt").write_text("odd\n")
    (folder / "x.bin").write_bytes(b"\xff" * 2_500)

    async def work(client: ModuleClient) -> None:
        async def read(name: str) -> list[dict[str, Any]]:
            contents = (await client.request("resources/read", {"uri": f"file://{folder}/{name}"}))["contents"]
            assert isinstance(contents, list)
            return contents

        assert (await read("a%20b%3F.txt"))[0]["text"] == "odd\n"
        assert (await read("sub/b.md"))[0]["mimeType"] == "text/markdown"
        data, uri = b"", "x.bin"
        for _ in range(3):
            contents = await read(uri)
            data += base64.b64decode(contents[0]["blob"])
            uri = contents[-1]["uri"].rpartition("/")[2]
        assert data == b"\xff" * 2_500
        for bad in ("missing", "sub", "../secret", "a.txt?offset=-1", "a.txt?offset=x", f"a.txt?offset={'9' * 40}"):
            with pytest.raises(MCPServerError):
                await read(bad)
        with pytest.raises(MCPServerError):
            await client.request("resources/read", {"uri": "file:///etc/hostname"})

    within(folder, work, output_budget_bytes=1_000)


class Told:
    """Hears what a module tells."""

    def __init__(self) -> None:
        self.uris: list[str] = []
        self.arrived = asyncio.Event()

    def check_addition(self, module: Any, kind: str, key: str) -> None:
        return

    def module_changed(self, module: Any, kind: str) -> None:
        return

    def resource_updated(self, uri: str) -> None:
        self.uris.append(uri)
        self.arrived.set()


def test_writing_tells_who_watches(folder: Path) -> None:
    async def run() -> list[str]:
        module, told = FilesystemModule(), Told()
        module.observe(told)
        async with client_for(module, folder=folder, allow=EVERYTHING) as client:
            await client.call("write_file", path="a.txt", content="x")
            await client.call("edit_file", path="./a.txt", edits=[{"oldText": "x", "newText": "y"}])
            await client.call("edit_file", path="a.txt", edits=[{"oldText": "y", "newText": "z"}], dryRun=True)
            await client.call("move_file", source="a.txt", destination="b.txt")
        return told.uris

    uris = asyncio.run(run())
    assert uris == [f"file://{quote(str(folder / name))}" for name in ("a.txt", "a.txt", "a.txt", "b.txt")]


def test_outside_changes_are_told(folder: Path) -> None:
    class Open:
        async def require(self, *arguments: Any) -> None:
            return

        def allows(self, *arguments: Any) -> bool:
            return True

    class Client:
        files = FileDoor(
            files=FileSystemManager(roots=[RootConfig(folder)]),
            gate=Open(),
            pinned={},
            run_blocking=asyncio.to_thread,
        )

    async def run() -> list[str]:
        module, told = FilesystemModule(), Told()
        module.observe(told)
        await module.watch(Client(), "a.txt")  # type: ignore[arg-type]  # Only its files are used.
        await module.watch(Client(), "sub/later")  # type: ignore[arg-type]  # Only its files are used.
        (folder / "a.txt").write_text("from outside")
        async with asyncio.timeout(10):
            await told.arrived.wait()
        await module.stop()
        await module.stop()
        return told.uris

    assert asyncio.run(run()) == [f"file://{quote(str(folder))}/a.txt"]
