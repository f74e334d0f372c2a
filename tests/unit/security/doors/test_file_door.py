"""The door asks before it opens, about the right thing, and only opens what was allowed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.directory_watcher import DirectoryWatcher
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.security.doors.file_door import QUICK_READ_BYTES, FileDoor
from mcp_server.security.permissions.permission_type import PermissionType

T = TypeVar("T")


class Gate:
    """Remembers what was asked, and refuses what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.refused: set[tuple[str, str]] = set()
        self.only_by_asking: set[str] = set()

    async def require(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> None:
        self.asked.append((str(permission_type), relative))
        if (str(permission_type), relative) in self.refused or (str(permission_type), "*") in self.refused:
            raise PermissionDeniedError("no", missing=[(permission_type, relative or resource)])

    def allows(self, permission_type: PermissionType, resource: str, relative: str | None = None) -> bool:
        names = {(str(permission_type), relative), (str(permission_type), "*")}
        return not names & self.refused and str(permission_type) not in self.only_by_asking


class Threads:
    """Runs at once, and counts."""

    def __init__(self) -> None:
        self.count = 0

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        self.count += 1
        return function(*arguments)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def threads() -> Threads:
    return Threads()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    (path / "sub" / "deep").mkdir(parents=True)
    (path / "note.txt").write_bytes(b"one\ntwo\nthree\n")
    (path / "sub" / "a.txt").write_bytes(b"a")
    (path / "sub" / "deep" / "b.txt").write_bytes(b"b")
    return path


@pytest.fixture
def make_door(folder: Path, tmp_path: Path, gate: Gate, threads: Threads) -> Callable[..., FileDoor]:
    (tmp_path / "shared").mkdir()
    roots = [RootConfig(folder), RootConfig(tmp_path / "shared", is_global=True)]

    def make(pinned: dict[str, PinnedFile] | None = None, **options: Any) -> FileDoor:
        files = FileSystemManager(roots=roots, **options)
        return FileDoor(files=files, gate=gate, pinned=pinned or {}, run_blocking=threads.run)

    return make


@pytest.fixture
def door(make_door: Callable[..., FileDoor]) -> FileDoor:
    return make_door()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


OPERATIONS: list[tuple[str, Callable[[FileDoor], Awaitable[Any]], list[tuple[str, str]]]] = [
    ("read", lambda door: door.read("note.txt"), [("FILE_READ", "note.txt")]),
    ("read_bytes", lambda door: door.read_bytes("./note.txt"), [("FILE_READ", "note.txt")]),
    ("read_text", lambda door: door.read_text("note.txt"), [("FILE_READ", "note.txt")]),
    ("head", lambda door: door.read_text("note.txt", head=1), [("FILE_READ", "note.txt")]),
    ("write_text", lambda door: door.write_text("new", "x"), [("FILE_WRITE", "new")]),
    ("write_bytes", lambda door: door.write_bytes("sub//new", b"x"), [("FILE_WRITE", "sub/new")]),
    ("list", lambda door: door.list(), [("DIRECTORY_LIST", ".")]),
    ("walk", lambda door: door.walk("sub"), [("DIRECTORY_LIST", "sub")]),
    ("stat", lambda door: door.stat("sub"), [("DIRECTORY_LIST", "sub")]),
    ("mkdir", lambda door: door.mkdir("x/y"), [("FILE_WRITE", "x/y")]),
    ("move", lambda door: door.move("note.txt", "x"), [("FILE_WRITE", "note.txt"), ("FILE_WRITE", "x")]),
    ("delete", lambda door: door.delete("note.txt"), [("FILE_DELETE", "note.txt")]),
]


@pytest.mark.parametrize(("name", "operation", "asked"), OPERATIONS, ids=[name for name, _, _ in OPERATIONS])
def test_each_operation_asks_for_exactly_its_right(
    name: str,
    operation: Callable[[FileDoor], Coroutine[Any, Any, Any]],
    asked: list[tuple[str, str]],
    door: FileDoor,
    gate: Gate,
) -> None:
    run(operation(door))
    assert gate.asked == asked


@pytest.mark.parametrize(("name", "operation", "asked"), OPERATIONS, ids=[name for name, _, _ in OPERATIONS])
def test_what_is_refused_does_not_happen(
    name: str,
    operation: Callable[[FileDoor], Coroutine[Any, Any, Any]],
    asked: list[tuple[str, str]],
    door: FileDoor,
    gate: Gate,
    threads: Threads,
    folder: Path,
) -> None:
    gate.refused = {asked[-1], ("FILE_READ", "sub")} if name == "stat" else {asked[-1]}
    before = sorted(folder.rglob("*"))
    with pytest.raises(PermissionDeniedError):
        run(operation(door))
    assert sorted(folder.rglob("*")) == before
    assert threads.count == 0


def test_the_further_folder_needs_the_further_right(door: FileDoor, gate: Gate, tmp_path: Path) -> None:
    shared = str(tmp_path / "shared")
    run(door.write_text(f"{shared}/a", "x"))
    run(door.mkdir(f"{shared}/d"))
    run(door.move(f"{shared}/a", "a"))
    assert gate.asked == [
        ("FILE_WRITE_GLOBAL", "a"),
        ("FILE_WRITE_GLOBAL", "d"),
        ("FILE_WRITE_GLOBAL", "a"),
        ("FILE_WRITE", "a"),
    ]
    gate.refused = {("FILE_WRITE_GLOBAL", "*")}
    with pytest.raises(PermissionDeniedError):
        run(door.move("a", f"{shared}/a"))


def test_stat_takes_either_right(door: FileDoor, gate: Gate) -> None:
    gate.refused = {("DIRECTORY_LIST", "*")}
    assert run(door.stat("note.txt")).size == 14
    assert gate.asked == [("FILE_READ", "note.txt")]
    gate.only_by_asking = {"FILE_READ"}
    assert run(door.stat("note.txt")).size == 14
    gate.refused = {("DIRECTORY_LIST", "*"), ("FILE_READ", "*")}
    with pytest.raises(PermissionDeniedError):
        run(door.stat("note.txt"))


def test_a_tree_is_moved_and_removed_only_with_every_right(door: FileDoor, gate: Gate, folder: Path) -> None:
    gate.refused = {("FILE_WRITE", "moved/deep/b.txt")}
    with pytest.raises(PermissionDeniedError):
        run(door.move("sub", "moved"))
    gate.refused = {("FILE_WRITE", "sub/a.txt")}
    with pytest.raises(PermissionDeniedError):
        run(door.move("sub", "moved"))
    gate.refused = {("FILE_DELETE", "sub/deep/b.txt")}
    with pytest.raises(PermissionDeniedError):
        run(door.delete("sub", recursive=True))
    assert (folder / "sub" / "deep" / "b.txt").exists()
    gate.refused = set()
    run(door.move("sub", "moved"))
    run(door.delete("moved", recursive=True))
    assert not (folder / "moved").exists()


def test_a_tree_too_large_to_check_is_left(make_door: Callable[..., FileDoor], folder: Path) -> None:
    door = make_door(limits=FileLimits(max_walk_entries=2))
    with pytest.raises(LimitExceededError):
        run(door.move("sub", "moved"))
    with pytest.raises(LimitExceededError):
        run(door.delete("sub", recursive=True))
    assert (folder / "sub" / "deep" / "b.txt").exists()


def test_walk_leaves_out_what_is_not_allowed(door: FileDoor, gate: Gate) -> None:
    def found(**options: Any) -> list[str]:
        return [entry.location.relative for entry in run(door.walk(".", **options)).entries]

    assert found() == ["note.txt", "sub", "sub/a.txt", "sub/deep", "sub/deep/b.txt"]
    gate.refused = {("DIRECTORY_LIST", "sub/deep"), ("DIRECTORY_LIST", "note.txt"), ("FILE_READ", "note.txt")}
    assert found() == ["sub", "sub/a.txt"]
    gate.refused = set()
    assert found(prune=lambda location: location.name == "sub") == ["note.txt"]
    assert found(select=lambda location, kind: location.name.endswith(".txt")) == [
        "note.txt",
        "sub/a.txt",
        "sub/deep/b.txt",
    ]
    assert run(door.walk(max_entries=1)).truncated


def test_small_files_are_read_at_once_and_large_ones_in_a_thread(
    door: FileDoor, threads: Threads, folder: Path
) -> None:
    (folder / "edge").write_bytes(b"x" * QUICK_READ_BYTES)
    (folder / "large").write_bytes(b"x" * (QUICK_READ_BYTES + 1))
    assert len(run(door.read_bytes("edge"))) == QUICK_READ_BYTES
    assert len(run(door.read("large", max_bytes=100)).data) == 100
    assert threads.count == 0
    assert len(run(door.read_bytes("large"))) == QUICK_READ_BYTES + 1
    assert threads.count == 1


def test_text(door: FileDoor, folder: Path) -> None:
    assert run(door.read_text(Path("note.txt"))) == "one\ntwo\nthree\n"
    assert run(door.read_text("note.txt", head=2)) == "one\ntwo\n"
    assert run(door.read_text("note.txt", tail=1)) == "three\n"
    run(door.write_text("utf16", "a\nb\nc", encoding="utf-16"))
    assert run(door.read_text("utf16", encoding="utf-16", head=1)) == "a\n"
    assert run(door.read_text("utf16", encoding="utf-16", tail=2)) == "b\nc"
    assert run(door.read_text("utf16", encoding="utf-16", tail=0)) == ""
    (folder / "latin").write_bytes(b"\xe9\r\n")
    assert run(door.read_text("latin", encoding="latin-1")) == "é\r\n"
    for call in (
        door.read_text("latin"),
        door.write_text("new", "é", encoding="ascii"),
        door.write_text("new", "\ud800"),
    ):
        with pytest.raises(ResourceUnavailableError) as caught:
            run(call)
        assert caught.value.reason == "not_text"
    with pytest.raises(ResourceUnavailableError):
        run(door.read_text("note.txt", head=1, tail=1))


def test_a_file_larger_than_one_read_is_refused_whole(make_door: Callable[..., FileDoor]) -> None:
    door = make_door(limits=FileLimits(max_read_bytes=5))
    with pytest.raises(LimitExceededError):
        run(door.read_text("note.txt"))
    assert run(door.read("note.txt")).data == b"one\nt"


def test_what_was_pinned_is_what_is_read(make_door: Callable[..., FileDoor], folder: Path) -> None:
    other = FileSystemManager(roots=[RootConfig(folder)])
    with other.pin(other.locate("note.txt")) as pinned:
        door = make_door({str(folder / "note.txt"): pinned})
        (folder / "note.txt").rename(folder / "old")
        (folder / "note.txt").write_bytes(b"swapped")
        assert run(door.read_text("note.txt")) == "one\ntwo\nthree\n"
        assert run(door.read_text("note.txt", tail=1)) == "three\n"
        assert run(door.stat("note.txt")).size == 14
        # After the handler's own write the name means what it wrote.
        run(door.write_text("note.txt", "mine"))
        assert run(door.read_text("note.txt")) == "mine"
        assert pinned.fd >= 0


def test_if_match_and_create_only(door: FileDoor) -> None:
    digest = hashlib.sha256(b"one\ntwo\nthree\n").hexdigest()
    run(door.write_text("note.txt", "new", if_match=digest))
    with pytest.raises(ResourceUnavailableError, match="changed"):
        run(door.write_text("note.txt", "newer", if_match=digest))
    with pytest.raises(ResourceUnavailableError, match="exists"):
        run(door.write_text("note.txt", "newer", create_only=True))


def test_watch_needs_reading(door: FileDoor, gate: Gate, folder: Path) -> None:
    told: list[str] = []
    watcher = DirectoryWatcher(on_change=told.append)
    run(door.watch("note.txt", watcher))
    assert gate.asked == [("FILE_READ", "note.txt")]
    (folder / "note.txt").write_bytes(b"x")
    watcher.drain()
    assert told == [str(folder / "note.txt")]
    watcher.close()


def test_no_folder_no_files(gate: Gate, threads: Threads) -> None:
    door = FileDoor(files=None, gate=gate, pinned={}, run_blocking=threads.run)
    assert door.roots == ()
    with pytest.raises(ResourceUnavailableError):
        run(door.read("x"))


def test_paths_are_texts(door: FileDoor, folder: Path) -> None:
    assert door.absolute("./sub/") == str(folder / "sub")
    assert door.roots[0] == str(folder)
    with pytest.raises(SandboxViolationError):
        run(door.read(b"note.txt"))  # type: ignore[arg-type]  # What an author may try.
    with pytest.raises(SandboxViolationError):
        run(door.read("../x"))
