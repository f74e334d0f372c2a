"""A18 to A20, A22, A26: too much of everything."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_limits import MEBIBYTES, FileLimits
from mcp_server.resources.filesystem.glob_pattern import GlobPattern
from mcp_server.resources.filesystem.root_config import RootConfig


def test_a18_a_huge_file_is_cut(make_files: Callable[..., ClientFiles], folder: Path) -> None:
    with (folder / "huge").open("wb") as stream:
        stream.truncate(1024 * MEBIBYTES)
    files = make_files(limits=FileLimits(max_read_bytes=MEBIBYTES))
    tracemalloc.start()
    try:
        content = files.read(files.locate("huge"))
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTES
    finally:
        tracemalloc.stop()
    assert len(content.data) == MEBIBYTES
    assert content.truncated
    assert content.size == 1024 * MEBIBYTES


def test_a18_the_announced_size_is_not_believed(files: ClientFiles, folder: Path) -> None:
    with files.pin(files.locate("note.txt")) as pinned:
        with (folder / "note.txt").open("ab") as stream:
            stream.write(b"x" * 100_000)
        assert pinned.status.st_size == 6
        assert len(files.read(pinned, max_bytes=50_000).data) == 50_000
        assert len(files.read(pinned).data) == 100_006


def test_a18_writes_are_bounded(make_files: Callable[..., ClientFiles]) -> None:
    files = make_files(limits=FileLimits(max_write_bytes=10))
    with pytest.raises(LimitExceededError):
        files.write(files.locate("big"), b"x" * 11)


def test_a19_a_full_directory_comes_in_pages(make_files: Callable[..., ClientFiles], folder: Path) -> None:
    for number in range(1_200):
        (folder / "sub" / f"{number:04}").touch()
    files = make_files(limits=FileLimits(max_entries=500, max_scan_entries=1_100))
    names: list[str] = []
    offset: int | None = 0
    while offset is not None:
        listing = files.list_directory(files.locate("sub"), offset=offset)
        assert listing.truncated
        names += [entry.name for entry in listing.entries]
        offset = listing.next_offset
    assert len(names) == len(set(names)) == 1_100
    assert names == sorted(names)
    whole = make_files().list_directory(make_files().locate("sub"))
    assert not whole.truncated
    assert whole.next_offset == 1_000


@pytest.fixture
def deep(folder: Path) -> Iterator[Path]:
    """5,000 directories, each in the one before; too deep for any path, and for most recursive code."""
    current = os.open(folder, os.O_RDONLY)
    for _ in range(5_000):
        os.mkdir("d", dir_fd=current)
        following = os.open("d", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = following
    os.close(current)
    yield folder / "d"
    subprocess.run(["rm", "-rf", str(folder / "d")], check=True)


def test_a19_a_deep_tree_ends(files: ClientFiles, deep: Path) -> None:
    walk = files.walk(files.locate("d"))
    entries = list(walk)
    assert len(entries) == files.limits.max_depth
    assert entries[-1].is_cut
    assert walk.is_truncated
    with pytest.raises(LimitExceededError):
        files.delete(files.locate("d"), recursive=True)
    assert deep.is_dir()

    # Control: a walk that calls itself has no bound of its own.
    def depth(path: str) -> int:
        return 1 + max((depth(f"{path}/{name}") for name in os.listdir(path)), default=0)

    with pytest.raises((RecursionError, OSError)):
        depth(str(deep))


def test_a19_walks_end_by_count_and_by_time(make_files: Callable[..., ClientFiles], folder: Path) -> None:
    for number in range(20):
        (folder / "sub" / str(number)).touch()
    files = make_files()
    walk = files.walk(files.locate("."), max_entries=7)
    assert len(list(walk)) == 7
    assert walk.is_truncated
    walk = make_files(limits=FileLimits(max_walk_seconds=-1)).walk(files.locate("."))
    assert list(walk) == []
    assert walk.is_truncated


def reason(change: Callable[[], object]) -> str:
    with pytest.raises(SandboxViolationError) as caught:
        change()
    return caught.value.reason


def test_a20_quota_of_files_survives_a_restart(make_files: Callable[..., ClientFiles], folder: Path) -> None:
    config = RootConfig(folder, max_files=50)
    files = make_files(first=config)
    # `note.txt` and `sub` were there before.
    for number in range(48):
        files.write(files.locate(f"sub/{number}"), b"x")
    assert {reason(lambda name=name: files.write(files.locate(name), b"x")) for name in ("49", "sub/50")} == {"quota"}
    again = make_files(first=config)
    assert reason(lambda: again.write(again.locate("new"), b"")) == "quota"
    assert reason(lambda: again.make_directory(again.locate("new"))) == "quota"
    again.write(again.locate("note.txt"), b"replaced")
    again.delete(again.locate("sub/0"))
    again.write(again.locate("new"), b"")
    assert reason(lambda: again.make_directory(again.locate("d"))) == "quota"
    again.delete(again.locate("sub"), recursive=True)
    assert again.make_directory(again.locate("d/e/f"))


def test_a20_quota_of_bytes(make_files: Callable[..., ClientFiles], folder: Path, naive: Any) -> None:
    config = RootConfig(folder, max_bytes=1_000)
    files = make_files(first=config)
    assert reason(lambda: files.write(files.locate("big"), b"x" * 995)) == "quota"
    assert not (folder / "big").exists()
    files.write(files.locate("big"), b"x" * 994)
    assert reason(lambda: files.write(files.locate("note.txt"), b"inside+")) == "quota"
    assert (folder / "note.txt").read_bytes() == b"inside"
    files.write(files.locate("big"), b"small")
    files.write(files.locate("note.txt"), b"x" * 995)
    again = make_files(first=config)
    assert reason(lambda: again.write(again.locate("more"), b"x")) == "quota"
    naive.write("more", b"x" * 10_000)
    assert reason(lambda: make_files(first=config).write(again.locate("one"), b"x")) == "quota"


def test_a20_a_failed_write_gives_back(make_files: Callable[..., ClientFiles], folder: Path) -> None:
    files = make_files(first=RootConfig(folder, max_bytes=100, max_files=3))
    for _ in range(5):
        with pytest.raises(MCPServerError):
            files.write(files.locate("sub"), b"x" * 50)
        with pytest.raises(MCPServerError):
            files.write(files.locate("note.txt"), b"x", create_only=True)
    files.write(files.locate("new"), b"x" * 50)


def test_a20_moving_between_folders_moves_the_count(
    make_files: Callable[..., ClientFiles], folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    files = make_files(RootConfig(other, max_files=2), first=RootConfig(folder, max_files=4))
    (folder / "sub" / "a").write_bytes(b"")
    files.move(files.locate("sub"), files.locate(str(other / "sub")))
    assert reason(lambda: files.move(files.locate("note.txt"), files.locate(str(other / "note.txt")))) == "quota"
    assert (folder / "note.txt").exists()
    files.move(files.locate(str(other / "sub" / "a")), files.locate("a"))
    files.move(files.locate("note.txt"), files.locate(str(other / "note.txt")))


def test_a20_what_cannot_be_counted_is_full(make_files: Callable[..., ClientFiles], folder: Path) -> None:
    (folder / "/".join("d" * 70)).mkdir(parents=True)
    files = make_files(first=RootConfig(folder, max_bytes=10_000, max_files=1_000))
    assert reason(lambda: files.write(files.locate("new"), b"x")) == "quota"


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
def test_a22_modes_never_widen(files: ClientFiles, folder: Path) -> None:
    (folder / "note.txt").chmod(0o600)
    files.write(files.locate("note.txt"), b"x")
    assert stat.S_IMODE((folder / "note.txt").stat().st_mode) == 0o600
    files.write(files.locate("new"), b"x")
    assert stat.S_IMODE((folder / "new").stat().st_mode) == 0o644
    files.make_directory(files.locate("d"))
    assert stat.S_IMODE((folder / "d").stat().st_mode) == 0o755
    (folder / "run").touch()
    (folder / "run").chmod(0o4755)
    files.write(files.locate("run"), b"x")
    assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o755
    # Control: a plain open takes what the missing umask leaves.
    with (folder / "plain").open("wb"):
        assert stat.S_IMODE((folder / "plain").stat().st_mode) == 0o666


def test_a22_the_umask_still_narrows(make_files: Callable[..., ClientFiles], folder: Path) -> None:
    before = os.umask(0o077)
    try:
        # A broker has the umask that the server had when it started it.
        files = make_files()
        files.write(files.locate("new"), b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "new").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 30 + "*b", "a" * 200),
        ("**/" * 20 + "x", "a/" * 100 + "y"),
        ("**/*a*" * 20, "a/" * 100),
        ("/".join(["**", "*a*a*a*a*"] * 20), "/".join(["a" * 50] * 100)),
        ("[a-z]*" * 50 + "!", "a" * 250),
        ("{a,b}*" * 6, "ab" * 100),
    ],
)
def test_a26_patterns_take_bounded_time(pattern: str, path: str) -> None:
    started = time.process_time()
    GlobPattern.compile(pattern).matches(path.split("/"))
    assert time.process_time() - started < 1.0


def test_a26_control_a_regular_expression_does_not(folder: Path) -> None:
    def steps(length: int) -> float:
        started = time.process_time()
        assert re.fullmatch("(a*)*b", "a" * length) is None
        return time.process_time() - started

    # Each letter doubles the time; 22 take long enough to be measured, 60 would take years.
    assert steps(22) > 8 * steps(16)


def test_a26_braces_are_bounded() -> None:
    with pytest.raises(InvalidArgumentsError):
        GlobPattern.compile("{a,b}" * 12)
    with pytest.raises(InvalidArgumentsError):
        GlobPattern.compile("a" * 2_000)
