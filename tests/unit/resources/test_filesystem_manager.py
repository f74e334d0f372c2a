"""The ordinary life of files; the attacks are in tests/security/filesystem."""

from __future__ import annotations

import errno
import gc
import hashlib
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_kind import FileKind
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.sync_level import SyncLevel
from mcp_server.resources.filesystem_manager import FileSystemManager

Make = Callable[..., ClientFiles]


def reason(change: Callable[[], object]) -> str:
    with pytest.raises((ResourceUnavailableError, SandboxViolationError)) as caught:
        change()
    return caught.value.reason


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_read_returns_everything_about_the_content(files: ClientFiles, folder: Path) -> None:
    content = files.read(files.locate("note.txt"))
    assert (content.data, content.size, content.truncated, content.is_whole) == (b"hello", 5, False, True)
    assert content.sha256 == sha256(b"hello")
    assert content.modified == (folder / "note.txt").stat().st_mtime


@pytest.mark.parametrize(
    ("offset", "most", "data", "truncated"),
    [
        (0, 5, b"hello", False),
        (0, 4, b"hell", True),
        (1, 2, b"el", True),
        (4, 9, b"o", False),
        (9, 9, b"", False),
        (0, 0, b"", True),
    ],
)
def test_read_of_a_part(files: ClientFiles, offset: int, most: int, data: bytes, truncated: bool) -> None:
    content = files.read(files.locate("note.txt"), offset=offset, max_bytes=most)
    assert (content.data, content.truncated) == (data, truncated)
    assert content.is_whole == (data == b"hello")


def test_reading_what_is_no_file(files: ClientFiles) -> None:
    assert reason(lambda: files.read(files.locate("missing"))) == "missing"
    assert reason(lambda: files.read(files.locate("sub"))) == "is_a_directory"
    assert reason(lambda: files.read(files.locate("note.txt/x"))) == "not_a_directory"
    assert reason(lambda: files.list_directory(files.locate("note.txt"))) == "not_a_directory"


def test_errors_speak_the_words_of_the_client(make_files: Make, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    files = make_files(RootConfig(folder), RootConfig(tmp_path / "other"))
    with pytest.raises(ResourceUnavailableError, match=r"^'sub/x' does not exist$"):
        files.read(files.locate(f"{folder}/sub/x"))
    with pytest.raises(ResourceUnavailableError, match=f"^'{tmp_path}/other/x' does not exist$"):
        files.read(files.locate(f"{tmp_path}/other/x"))


def test_pinned_means_this_very_inode(files: ClientFiles, folder: Path) -> None:
    with files.pin(files.locate("note.txt"), kind="file") as pinned:
        (folder / "note.txt").rename(folder / "old.txt")
        (folder / "note.txt").write_bytes(b"another")
        assert files.read(pinned).data == b"hello"
        assert files.stat(pinned).size == 5
    with pytest.raises(MCPServerError):
        files.read(pinned)
    with files.pin(files.locate("sub"), kind="directory") as pinned:
        (folder / "sub" / "x").touch()
        (folder / "sub").rename(folder / "bus")
        assert [entry.name for entry in files.list_directory(pinned).entries] == ["x"]
        assert [entry.location.name for entry in files.walk(pinned)] == ["x"]
    assert reason(lambda: files.pin(files.locate("note.txt"), kind="directory")) == "not_a_directory"
    assert reason(lambda: files.pin(files.locate("bus"), kind="file")) == "is_a_directory"


@pytest.mark.parametrize("sync", list(SyncLevel))
def test_write_creates_and_replaces(make_files: Make, folder: Path, sync: SyncLevel) -> None:
    files = make_files(RootConfig(folder, sync=sync))
    assert files.write(files.locate("sub/new"), b"one").size == 3
    assert files.write(files.locate("sub/new"), b"").size == 0
    assert (folder / "sub" / "new").read_bytes() == b""
    assert os.listdir(folder / "sub") == ["new"]


def test_write_needs_its_directory(files: ClientFiles) -> None:
    assert reason(lambda: files.write(files.locate("no/new"), b"")) == "missing"
    assert reason(lambda: files.write(files.locate("sub"), b"")) == "is_a_directory"
    assert reason(lambda: files.write(files.locate("."), b"")) == "protected"


def test_create_only_replaces_nothing(files: ClientFiles, folder: Path) -> None:
    files.write(files.locate("new"), b"one", create_only=True)
    assert reason(lambda: files.write(files.locate("new"), b"two", create_only=True)) == "exists"
    assert (folder / "new").read_bytes() == b"one"
    assert sorted(os.listdir(folder)) == ["new", "note.txt", "sub"]


def test_if_match_compares_the_content(files: ClientFiles, folder: Path) -> None:
    location = files.locate("note.txt")
    digest = files.read(location).sha256
    files.write(location, b"second", if_match=digest)
    assert reason(lambda: files.write(location, b"third", if_match=digest)) == "changed"
    assert reason(lambda: files.write(files.locate("missing"), b"", if_match=digest)) == "changed"
    assert (folder / "note.txt").read_bytes() == b"second"
    assert sorted(os.listdir(folder)) == ["note.txt", "sub"]
    files.write(location, b"third", if_match=sha256(b"second").upper())


def test_of_many_conditional_writers_one_wins(files: ClientFiles, folder: Path) -> None:
    location = files.locate("note.txt")
    for number in range(20):
        digest = files.read(location).sha256
        barrier = threading.Barrier(4)
        won: list[bytes] = []

        def attempt(
            data: bytes, digest: str = digest, barrier: threading.Barrier = barrier, won: list[bytes] = won
        ) -> None:
            barrier.wait()
            try:
                files.write(location, data, if_match=digest)
                won.append(data)
            except ResourceUnavailableError:
                return

        threads = [threading.Thread(target=attempt, args=(b"%d-%d" % (number, index),)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(won) == 1
        assert (folder / "note.txt").read_bytes() == won[0]
    assert sorted(os.listdir(folder)) == ["note.txt", "sub"]


def test_a_failed_write_leaves_nothing(files_here: ClientFiles, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> int:
        raise OSError(errno.ENOSPC, "no space")

    files_here.stat(files_here.locate("."))
    monkeypatch.setattr(os, "write", full)
    assert reason(lambda: files_here.write(files_here.locate("note.txt"), b"x")) == "full"
    monkeypatch.undo()
    assert (folder / "note.txt").read_bytes() == b"hello"
    assert sorted(os.listdir(folder)) == ["note.txt", "sub"]


@pytest.mark.parametrize("if_match", [False, True])
def test_without_renameat2_flags(
    if_match: bool, files_here: ClientFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mcp_server.resources.kernel.renameat2 import Renameat2

    def unsupported(self: Any, *arguments: Any, flags: int = 0) -> None:
        raise OSError(errno.EINVAL, "flags")

    monkeypatch.setattr(Renameat2, "rename", unsupported)
    if if_match:
        files_here.write(files_here.locate("note.txt"), b"x", if_match=sha256(b"hello"))
        assert (folder / "note.txt").read_bytes() == b"x"
    files_here.write(files_here.locate("new"), b"x", create_only=True)
    files_here.move(files_here.locate("new"), files_here.locate("sub/new"))
    files_here.move(files_here.locate("sub"), files_here.locate("bus"))
    assert reason(lambda: files_here.move(files_here.locate("note.txt"), files_here.locate("bus/new"))) == "exists"
    assert reason(lambda: files_here.move(files_here.locate("bus/new"), files_here.locate("bus"))) == "exists"
    assert (folder / "bus" / "new").read_bytes() == b"x"


def test_make_directory(files: ClientFiles, folder: Path) -> None:
    assert files.make_directory(files.locate("a/b/c"))
    assert (folder / "a" / "b" / "c").is_dir()
    assert not files.make_directory(files.locate("a/b/c"))
    assert not files.make_directory(files.locate("."))
    assert reason(lambda: files.make_directory(files.locate("a"), exist_ok=False)) == "exists"
    assert reason(lambda: files.make_directory(files.locate("x/y"), parents=False)) == "missing"
    assert reason(lambda: files.make_directory(files.locate("note.txt/x"))) == "not_a_directory"
    assert reason(lambda: files.make_directory(files.locate("note.txt"))) == "not_a_directory"


def test_list_directory(files: ClientFiles, folder: Path) -> None:
    (folder / "link").symlink_to("note.txt")
    os.mkfifo(folder / "pipe")
    listing = files.list_directory(files.locate("."))
    assert [(entry.name, entry.kind) for entry in listing.entries] == [
        ("link", FileKind.SYMLINK),
        ("note.txt", FileKind.FILE),
        ("pipe", FileKind.SPECIAL),
        ("sub", FileKind.DIRECTORY),
    ]
    assert listing.next_offset is None
    page = files.list_directory(files.locate("."), offset=1, max_entries=2)
    assert ([entry.name for entry in page.entries], page.next_offset) == (["note.txt", "pipe"], 3)
    assert files.list_directory(files.locate("."), offset=9).entries == ()


def test_walk_goes_down_first_and_prunes(files: ClientFiles, folder: Path) -> None:
    (folder / "sub" / "deep").mkdir()
    (folder / "sub" / "deep" / "x").touch()
    (folder / "sub" / "z").touch()
    found = [(entry.location.relative, entry.depth) for entry in files.walk(files.locate("."))]
    assert found == [("note.txt", 1), ("sub", 1), ("sub/deep", 2), ("sub/deep/x", 3), ("sub/z", 2)]
    walk = files.walk(files.locate("."), admit=lambda location, kind: location.name != "deep")
    assert [entry.location.relative for entry in walk] == ["note.txt", "sub", "sub/z"]
    assert not walk.is_truncated
    walk = files.walk(files.locate("."), max_depth=1)
    assert [entry.is_cut for entry in walk] == [False, True]
    assert walk.is_truncated


def test_walk_enters_directories_whose_names_are_no_text(files: ClientFiles, folder: Path) -> None:
    os.makedirs(os.fsencode(folder) + b"/bad\xff/in\n")
    found = [entry.location.parts for entry in files.walk(files.locate("."))]
    assert ("bad\udcff", "in\n") in found


def test_a_walk_that_is_left_closes_its_directories(files: ClientFiles) -> None:
    files.stat(files.locate("."))  # a broker has been started by now, and has taken its ends of what is open
    gc.collect()  # what earlier tests left must not be closed in the middle of the count
    before = len(os.listdir("/proc/self/fd"))
    walk = files.walk(files.locate("."))
    next(walk)
    walk.close()
    walk.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_move(files: ClientFiles, folder: Path) -> None:
    files.move(files.locate("note.txt"), files.locate("sub/note.txt"))
    assert (folder / "sub" / "note.txt").read_bytes() == b"hello"
    files.move(files.locate("sub"), files.locate("bus"))
    (folder / "x").touch()
    assert reason(lambda: files.move(files.locate("x"), files.locate("bus/note.txt"))) == "exists"
    assert reason(lambda: files.move(files.locate("missing"), files.locate("y"))) == "missing"
    assert reason(lambda: files.move(files.locate("x"), files.locate("no/x"))) == "missing"
    assert reason(lambda: files.move(files.locate("bus"), files.locate("bus/in/itself"))) == "exists"
    assert reason(lambda: files.move(files.locate("x"), files.locate("x"))) == "exists"


def test_delete(files: ClientFiles, folder: Path) -> None:
    (folder / "sub" / "deep").mkdir()
    (folder / "sub" / "deep" / "x").touch()
    assert reason(lambda: files.delete(files.locate("sub"))) == "not_empty"
    assert reason(lambda: files.delete(files.locate("missing"))) == "missing"
    assert reason(lambda: files.delete(files.locate("."), recursive=True)) == "protected"
    files.delete(files.locate("note.txt"), recursive=True)
    files.delete(files.locate("sub/deep/x"))
    files.delete(files.locate("sub/deep"))
    files.delete(files.locate("sub"), recursive=True)
    assert os.listdir(folder) == []


def test_stat(files: ClientFiles, folder: Path) -> None:
    (folder / "note.txt").chmod(0o640)
    status = files.stat(files.locate("note.txt"))
    assert (status.kind, status.size, status.mode, status.links) == (FileKind.FILE, 5, 0o640, 1)
    assert files.stat(files.locate(".")).kind is FileKind.DIRECTORY


def test_the_longest_folder_name_wins(make_files: Make, folder: Path) -> None:
    files = make_files(RootConfig(folder), RootConfig(folder / "sub", is_global=True))
    assert files.locate(f"{folder}/sub/x").root is files.roots[1]
    assert files.locate(f"{folder}/subx").root is files.roots[0]
    assert files.locate("sub/x").root is files.roots[1]
    assert files.locate("sub/x").parts == ("x",)


def test_a_linked_folder_has_both_names(make_files: Make, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    files = make_files(RootConfig(tmp_path / "link"))
    for name in (tmp_path / "link", folder):
        location = files.locate(f"{name}/note.txt")
        assert files.read(location).data == b"hello"
        assert location.absolute == f"{tmp_path}/link/note.txt"


def test_folders_that_cannot_be_opened(make_files: Make, folder: Path) -> None:
    for path in (folder / "missing", folder / "note.txt"):
        with pytest.raises(ConfigurationError):
            make_files(RootConfig(path))
    with pytest.raises(SandboxViolationError, match="no folder"):
        FileSystemManager(roots=[]).locate("x")


def test_close_waits_for_whoever_holds_a_place(make_files_here: Make) -> None:
    gc.collect()  # what earlier tests left must not be closed in the middle of the count
    before = len(os.listdir("/proc/self/fd"))
    files = make_files_here()
    location = files.locate("note.txt")
    files.close()
    files.close()
    assert files.read(location).data == b"hello"
    assert reason(lambda: files.locate("note.txt")) == "escape"
    del location
    assert len(os.listdir("/proc/self/fd")) == before


def test_no_descriptor_is_left(files: ClientFiles, folder: Path) -> None:
    def everything() -> None:
        files.write(files.locate("a"), b"x")
        files.write(files.locate("a"), b"y", if_match=sha256(b"x"))
        files.read(files.locate("a"))
        files.make_directory(files.locate("d/e"))
        files.move(files.locate("a"), files.locate("d/a"))
        list(files.walk(files.locate(".")))
        files.list_directory(files.locate("."))
        files.delete(files.locate("d"), recursive=True)
        for bad in ("missing", "missing/x", "note.txt/x"):
            for act in (files.read, files.stat, files.list_directory, files.delete, files.pin):
                with pytest.raises(MCPServerError):
                    act(files.locate(bad))
        files.sweep()

    everything()
    gc.collect()  # what earlier tests left must not be closed in the middle of the count
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        everything()
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_kernel_without_openat2_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    from mcp_server.resources import filesystem_manager
    from mcp_server.resources.filesystem.walking_opener import WalkingOpener

    def absent() -> None:
        raise OSError(errno.ENOSYS, "no such call")

    monkeypatch.setattr(filesystem_manager, "Openat2", absent)
    assert isinstance(filesystem_manager.choose_opener(), WalkingOpener)


def test_a_group_that_cannot_be_kept_loses_its_rights(
    files_here: ClientFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "note.txt").chmod(0o664)
    real = os.fstat

    def other_owner(descriptor: int) -> Any:
        status = list(real(descriptor))
        status[stat.ST_GID] += 1
        return os.stat_result(status)

    def refused(*arguments: Any) -> None:
        raise PermissionError(errno.EPERM, "not yours")

    files_here.stat(files_here.locate("."))
    monkeypatch.setattr(os, "fstat", other_owner)
    monkeypatch.setattr(os, "fchown", refused)
    files_here.write(files_here.locate("note.txt"), b"x")
    monkeypatch.undo()
    assert stat.S_IMODE((folder / "note.txt").stat().st_mode) == 0o604
