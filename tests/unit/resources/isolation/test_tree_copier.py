"""Copying in."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager, choose_opener
from mcp_server.resources.isolation.copy_report import CopyReport
from mcp_server.resources.isolation.snapshot_entry import SnapshotEntry
from mcp_server.resources.isolation.staging_limits import StagingLimits
from mcp_server.resources.isolation.tree_copier import TreeCopier

Copy = Callable[..., CopyReport]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    path.mkdir()
    return path


@pytest.fixture
def descriptor(tree: Path) -> Iterator[int]:
    descriptor = os.open(tree, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def copied() -> dict[str, SnapshotEntry]:
    return {}


@pytest.fixture
def copy(files: ClientFiles, descriptor: int, copied: dict[str, SnapshotEntry]) -> Copy:
    def run(names: Any = None, *, manager: FileSystemManager = files, **options: Any) -> CopyReport:
        limits = StagingLimits(**{name: options.pop(name) for name in list(options) if name.startswith("max_")})
        owner, substitutes = options.pop("owner", None), options.pop("substitutes", None)
        predicates = {"may_read": lambda absolute, relative: True, **options}
        copier = TreeCopier(
            descriptor, opener=choose_opener(), limits=limits, owner=owner, copied=copied, substitutes=substitutes
        )
        return copier.copy(manager, names, **{"may_list": predicates["may_read"], **predicates})

    return run


def held(tree: Path) -> list[str]:
    return sorted(str(path.relative_to(tree)) for path in tree.rglob("*"))


def skipped(report: CopyReport) -> dict[str, int]:
    return {str(reason): count for reason, count in report.skipped.items()}


def test_a_whole_folder(copy: Copy, folder: Path, tree: Path, copied: dict[str, SnapshotEntry]) -> None:
    (folder / "sub" / "inner").write_bytes(b"x" * 2_000_000)
    (folder / "empty").mkdir()
    report = copy()
    assert held(tree) == ["empty", "note.txt", "sub", "sub/inner"]
    assert (report.files, report.directories, report.size_bytes) == (2, 2, 2_000_005)
    assert (skipped(report), report.is_truncated) == ({}, False)
    assert (tree / "sub" / "inner").read_bytes() == b"x" * 2_000_000
    assert copied["note.txt"].sha256 == hashlib.sha256(b"hello").hexdigest()
    assert list(copied) == ["empty", "note.txt", "sub", "sub/inner"]


def test_only_what_may_be_read_is_there(copy: Copy, folder: Path, tree: Path) -> None:
    asked: list[tuple[str, str]] = []

    def may_read(absolute: str, relative: str) -> bool:
        asked.append((absolute, relative))
        return relative.endswith(".py")

    (folder / "sub" / "a.py").touch()
    (folder / "secret").mkdir()
    (folder / "secret" / "key").touch()
    report = copy(may_read=may_read)
    assert held(tree) == ["sub", "sub/a.py"]
    assert skipped(report) == {"not permitted": 2}
    assert (f"{folder}/secret/key", "secret/key") in asked


def test_of_some_files_only_what_is_made_of_them_is_copied(
    copy: Copy, folder: Path, tree: Path, copied: dict[str, SnapshotEntry]
) -> None:
    (folder / "sub" / "note.txt").write_bytes(b"as it is")
    report = copy(substitutes={"note.txt": bytes.upper})
    assert (tree / "note.txt").read_bytes() == b"HELLO"
    assert (tree / "sub" / "note.txt").read_bytes() == b"as it is"
    assert copied["note.txt"].sha256 == hashlib.sha256(b"HELLO").hexdigest()
    assert report.size_bytes == 13


def test_a_file_too_large_to_make_something_of_is_not_copied(copy: Copy, folder: Path, tree: Path) -> None:
    (folder / "note.txt").write_bytes(b"x" * (1024 * 1024))
    assert skipped(copy(substitutes={"note.txt": bytes.upper})) == {"too large": 1}
    assert held(tree) == ["sub"]


def test_directories_that_may_be_listed_are_there_even_when_empty(copy: Copy, folder: Path, tree: Path) -> None:
    copy(may_read=lambda absolute, relative: False, may_list=lambda absolute, relative: relative == "sub")
    assert held(tree) == ["sub"]


def test_named_files_and_directories(copy: Copy, files: ClientFiles, folder: Path, tree: Path) -> None:
    (folder / "sub" / "inner").touch()
    (folder / "other").touch()
    report = copy([files.locate("note.txt"), str(folder / "sub"), "none", "../up", "note.txt"])
    assert held(tree) == ["note.txt", "sub", "sub/inner"]
    assert report.files == 2
    assert skipped(report) == {"its directory is missing": 1, "unusable name": 1}


def test_links_special_files_and_second_names_stay_out(copy: Copy, folder: Path, tree: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "sub" / "up").symlink_to("..")
    os.mkfifo(folder / "fifo")
    os.link(tmp_path / "secret", folder / "hard")
    report = copy()
    assert held(tree) == ["note.txt", "sub"]
    assert skipped(report) == {"symbolic link": 2, "special file": 1, "hard link": 1}


def test_names_that_are_no_text_stay_out(copy: Copy, folder: Path, tree: Path) -> None:
    (folder / os.fsdecode(b"\xff")).touch()
    assert skipped(copy()) == {"unusable name": 1}
    assert held(tree) == ["note.txt", "sub"]


def test_modes_are_private_and_keep_the_owners_right_to_execute(copy: Copy, folder: Path, tree: Path) -> None:
    for mode in (0o6755, 0o640, 0o011):
        (folder / f"{mode:o}").touch()
        (folder / f"{mode:o}").chmod(mode)
    (folder / "sub").chmod(0o2775)
    mask = os.umask(0)
    try:
        copy()
    finally:
        os.umask(mask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tree.iterdir()}
    expected = {"6755": 0o700, "640": 0o600, "note.txt": 0o600, "sub": 0o700}
    assert {name: mode for name, mode in modes.items() if name != "11"} == expected
    # Only an administrator can read that one.
    assert modes.get("11", 0o600) == 0o600


def test_modification_times_are_kept(copy: Copy, folder: Path, tree: Path) -> None:
    os.utime(folder / "note.txt", ns=(5, 1_234_567_890_123_456_789))
    copy()
    assert (tree / "note.txt").stat().st_mtime_ns == 1_234_567_890_123_456_789


def test_bytes_are_bounded(copy: Copy, folder: Path, tree: Path) -> None:
    (folder / "large").write_bytes(b"x" * 100)
    report = copy(max_bytes=50)
    assert held(tree) == ["note.txt", "sub"]
    assert skipped(report) == {"too large": 1}


def test_a_file_that_grows_while_it_is_copied_stays_out(
    copy: Copy, folder: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.read

    def growing(descriptor: int, size: int) -> bytes:
        with (folder / "note.txt").open("ab") as stream:
            stream.write(b"x" * 100)
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", growing)
    report = copy(max_bytes=50)
    assert held(tree) == ["sub"]
    assert (skipped(report), report.size_bytes) == ({"too large": 1}, 0)


def test_a_file_that_cannot_be_read_stays_out(
    copy: Copy, files: ClientFiles, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(descriptor: int, size: int) -> bytes:
        raise OSError(errno.EIO, "input/output error")

    files.stat(files.locate("."))  # a broker has been started by now, which takes reading as well
    monkeypatch.setattr(os, "read", failing)
    assert skipped(copy()) == {"cannot be used": 1}
    assert held(tree) == ["sub"]


def test_files_and_directories_are_counted(copy: Copy, folder: Path, tree: Path) -> None:
    (folder / "sub" / "inner").touch()
    report = copy(max_files=2)
    assert held(tree) == ["note.txt", "sub"]
    assert skipped(report) == {"too many files": 1}


def test_depth_is_bounded(copy: Copy, folder: Path, tree: Path) -> None:
    (folder / "sub" / "b" / "c").mkdir(parents=True)
    (folder / "sub" / "b" / "file").touch()
    report = copy(max_depth=2)
    assert held(tree) == ["note.txt", "sub", "sub/b"]
    assert skipped(report) == {"too deep": 1}
    assert report.is_truncated


def test_depth_counts_from_the_folder(copy: Copy, folder: Path, tree: Path) -> None:
    (folder / "sub" / "b" / "c").mkdir(parents=True)
    (folder / "sub" / "b" / "c" / "file").touch()
    report = copy(["sub/b"], max_depth=2)
    assert held(tree) == ["sub", "sub/b"]
    assert skipped(report) == {"too deep": 2}


def test_other_folders_of_the_client_stay_out(
    copy: Copy, make_files: Callable[..., FileSystemManager], folder: Path, tree: Path, tmp_path: Path
) -> None:
    (tmp_path / "further").mkdir()
    (tmp_path / "further" / "file").touch()
    (folder / "sub" / "file").touch()
    manager = make_files(RootConfig(folder), RootConfig(tmp_path / "further"), RootConfig(folder / "sub"))
    report = copy([".", str(tmp_path / "further" / "file")], manager=manager)
    assert held(tree) == ["note.txt"]
    assert skipped(report) == {"in another folder": 3}


def test_copying_twice_adds(copy: Copy, folder: Path, tree: Path) -> None:
    copy(["note.txt"])
    (folder / "new").write_bytes(b"12")
    report = copy()
    assert (report.files, report.directories, report.size_bytes) == (1, 1, 2)
    assert held(tree) == ["new", "note.txt", "sub"]


def test_a_staging_directory_that_cannot_be_written_is_an_error(
    copy: Copy, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ResourceUnavailableError) as caught:
        copy()
    assert caught.value.reason == "full"
    monkeypatch.undo()
    # Something planted where a directory is to be made: it is not taken for ours.
    (tree / "sub").mkdir(exist_ok=True)
    with pytest.raises(ResourceUnavailableError) as caught:
        copy(["sub"])
    assert caught.value.reason == "io"


def test_copies_are_handed_to_their_owner(
    copy: Copy, tree: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    given: list[tuple[str, int, int]] = []
    monkeypatch.setattr(
        os,
        "fchown",
        lambda descriptor, uid, gid: given.append((os.readlink(f"/proc/self/fd/{descriptor}"), uid, gid)),
    )
    copy(owner=(1234, 5678))
    assert given == [(f"{tree}/note.txt", 1234, 5678), (f"{tree}/sub", 1234, 5678)]


def test_no_descriptor_is_left(copy: Copy, folder: Path) -> None:
    (folder / "sub" / "inner").touch()
    copy(["note.txt"])
    before = len(os.listdir("/proc/self/fd"))
    copy()
    assert len(os.listdir("/proc/self/fd")) == before
