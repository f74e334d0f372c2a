"""What a broker answers, asked in this process: names are looked at again, whoever asks."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.broker.broker import Broker
from mcp_server.resources.broker.facts import status_fields
from mcp_server.resources.broker.frame import Frame
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import FileSystemManager

PLACES = {
    "pin": {"kind": "any"},
    "stat": {},
    "write": {"create_only": False, "if_match": None},
    "make_directory": {"parents": True, "exist_ok": True},
    "delete": {"recursive": False},
    "move": {"to": [0, ["moved"]]},
}


@pytest.fixture
def broker(folder: Path) -> Iterator[Broker]:
    opener = WalkingOpener()
    (folder / "inner").mkdir()
    roots = [RootConfig(folder), RootConfig(folder / "inner", writable=False)]
    files = FileSystemManager(roots=roots, opener=opener)
    yield Broker(files=files, opener=opener)
    files.close()


def ask(broker: Broker, do: Any, body: bytes = b"", descriptors: tuple[int, ...] = (), **members: Any) -> Any:
    head, descriptor = broker.answer(Frame({"id": 5, "do": do, **members}, body, descriptors))
    assert head.pop("id") == 5
    if descriptor >= 0:
        try:
            return head, os.fstat(descriptor), os.get_inheritable(descriptor)
        finally:
            os.close(descriptor)
    return head


def test_a_file_is_handed_over_open_for_reading(broker: Broker, folder: Path) -> None:
    head, status, is_inherited = ask(broker, "pin", at=[0, ["note.txt"]], kind="file")
    assert (head, status.st_ino, is_inherited) == ({"value": None}, (folder / "note.txt").stat().st_ino, False)
    head, status, _ = ask(broker, "pin", at=[0, []], kind="directory")
    assert (head, status.st_ino) == ({"value": None}, folder.stat().st_ino)


def test_what_cannot_be_opened_can_be_looked_at(broker: Broker, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pinned: PinnedFile, flags: int) -> int:
        raise PermissionError(errno.EACCES, "not yours")

    monkeypatch.setattr(PinnedFile, "reopen", refused)
    head = ask(broker, "pin", at=[0, ["note.txt"]], kind="file")
    assert head == {"value": [errno.EACCES, status_fields((folder / "note.txt").stat())]}


def test_a_directory_is_entered_from_an_open_one(broker: Broker, folder: Path) -> None:
    (folder / "sub" / "deep").mkdir()
    (folder / "sub" / "link").symlink_to("deep")

    def enter(name: Any, root: Any = 0) -> Any:
        # What is handed over with a question is the broker's to close.
        return ask(broker, "enter", descriptors=(os.open(folder / "sub", os.O_RDONLY),), root=root, name=name)

    before = len(os.listdir("/proc/self/fd"))
    assert enter("deep")[1].st_ino == (folder / "sub" / "deep").stat().st_ino
    assert enter("link") == {"errno": errno.ENOTDIR} or enter("link") == {"errno": errno.ELOOP}
    assert enter("missing") == {"errno": errno.ENOENT}
    assert enter("..")["refusal"][:2] == ["sandbox", "escape"]
    assert enter("a/b")["refusal"][:2] == ["sandbox", "escape"]
    assert enter("")["refusal"][:2] == ["sandbox", "name"]
    assert enter(7) == {"bug": "TypeError"}
    assert enter("deep", 9) == {"bug": "IndexError"}
    assert enter("deep", -1) == {"bug": "TypeError"}
    assert ask(broker, "enter", root=0, name="deep") == {"bug": "ValueError"}
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("do", PLACES)
@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (["..", "x"], "escape"),
        (["sub", ".."], "escape"),
        (["."], "escape"),
        (["/etc/passwd"], "escape"),
        (["sub/x"], "escape"),
        ([""], "name"),
        (["a\0b"], "name"),
        (["x" * 256], "name"),
        (["\udcff" * 256], "name"),
        (["é" * 128], "name"),
        (["x"] * 1025, "name"),
        (["y" * 200] * 21, "name"),
    ],
)
def test_names_are_looked_at_again(broker: Broker, do: str, parts: list[str], reason: str) -> None:
    assert ask(broker, do, at=[0, parts], **PLACES[do])["refusal"][:2] == ["sandbox", reason]
    if do == "move":
        assert ask(broker, do, at=[0, ["note.txt"]], to=[0, parts])["refusal"][:2] == ["sandbox", reason]


@pytest.mark.parametrize("do", PLACES)
@pytest.mark.parametrize(
    "place", [None, 7, [], [0], [0, "ab"], [0, [7]], [0, [None]], ["0", []], [True, []], [-1, []], [9, []], [0, {}, 1]]
)
def test_what_is_no_place_is_a_bug_of_who_asks(broker: Broker, do: str, place: Any) -> None:
    assert ask(broker, do, at=place, **PLACES[do])["bug"] in ("TypeError", "ValueError", "IndexError")


def test_the_innermost_folder_decides_whatever_was_resolved(broker: Broker) -> None:
    # `inner` is only read; the server says that it lies in the first folder.
    assert ask(broker, "write", b"x", at=[0, ["inner", "new"]], **PLACES["write"])["refusal"][:2] == [
        "sandbox",
        "protected",
    ]


def test_changes_are_made_and_told(broker: Broker, folder: Path) -> None:
    written = ask(broker, "write", b"new", at=[0, ["sub", "a"]], create_only=True, if_match=None)
    assert written["value"][:2] == ["file", 3]
    assert ask(broker, "stat", at=[0, ["sub", "a"]]) == written
    assert ask(broker, "move", at=[0, ["sub", "a"]], to=[0, ["b"]]) == {"value": None}
    assert ask(broker, "make_directory", at=[0, ["d", "e"]], parents=True, exist_ok=False) == {"value": True}
    assert ask(broker, "delete", at=[0, ["d"]], recursive=True) == {"value": None}
    assert ask(broker, "sweep", root=0) == {"value": 0}
    assert ask(broker, "sweep", root=True) == {"bug": "TypeError"}
    assert ask(broker, "write", b"x" * 17_000_000, at=[0, ["c"]], **PLACES["write"])["refusal"][0] == "limit"
    assert sorted(os.listdir(folder)) == ["b", "inner", "note.txt", "sub"]


@pytest.mark.parametrize("do", [None, "answer", "__init__", "close", 7, [], "_files"])
def test_the_table_is_fixed(broker: Broker, do: Any) -> None:
    assert ask(broker, do)["bug"] in ("KeyError", "TypeError")
    assert broker.answer(Frame({}))[0] == {"id": None, "bug": "KeyError"}


@pytest.mark.parametrize(
    ("do", "members"),
    [
        ("delete", {"recursive": 1}),
        ("make_directory", {"parents": "yes", "exist_ok": True}),
        ("write", {"create_only": None, "if_match": None}),
        ("write", {"create_only": False, "if_match": 7}),
        ("pin", {"kind": "link"}),
        ("pin", {}),
    ],
)
def test_arguments_have_their_types(broker: Broker, folder: Path, do: str, members: dict[str, Any]) -> None:
    assert "bug" in ask(broker, do, b"x", at=[0, ["note.txt"]], **members)
    assert (folder / "note.txt").read_bytes() == b"hello"
