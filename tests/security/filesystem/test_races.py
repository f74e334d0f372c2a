"""A08, A09, A21: somebody else changes the tree between two of our steps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.resources.filesystem.client_files import ClientFiles

REPOSITORY = Path(__file__).parents[3]

# Exchanges a directory with a link that leads out, as fast as it can, in a process of its own.
SWAPPER = """
import os, sys
from mcp_server.resources.kernel.renameat2 import RENAME_EXCHANGE, Renameat2
directory = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
renameat2 = Renameat2()
print("ready", flush=True)
while True:
    renameat2.rename(directory, "door", directory, "other", flags=RENAME_EXCHANGE)
"""

# Writes over a file and dies at the given step, as in a power cut of this process.
DYING_WRITER = """
import os, signal, sys
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem_manager import FileSystemManager
folder, step = sys.argv[1:]
name, _, place = step.partition(":")
files = FileSystemManager(roots=[RootConfig(folder)])
original = getattr(os, name)
calls = 0
def dying(*arguments, **options):
    global calls
    calls += 1
    if place == "before" or (place == "second" and calls == 2):
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*arguments, **options)
    if place == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(os, name, dying)
files.write(files.locate("note.txt"), b"n" * 3_000_000)
"""


@contextmanager
def swapping(folder: Path, outside: Path) -> Iterator[None]:
    (folder / "door").mkdir()
    (folder / "door" / "file").write_bytes(b"inside")
    (folder / "other").symlink_to(outside)
    process = subprocess.Popen(
        [sys.executable, "-c", SWAPPER, str(folder)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.mkdir()
    (path / "file").write_bytes(b"canary")
    return path


def test_a08_reading_while_a_directory_is_swapped(files: ClientFiles, way: str, folder: Path, outside: Path) -> None:
    rounds = {"openat2": 50_000}.get(way, 5_000)
    location = files.locate("door/file")
    read = refused = 0
    with swapping(folder, outside):
        for _ in range(rounds):
            try:
                assert files.read(location).data == b"inside"
                read += 1
            except MCPServerError:
                refused += 1
    # Both happened, or the race was none.
    assert read > 0
    assert refused > 0


def test_a08_control_a_checked_path_is_opened_too_late(naive: Any, folder: Path, outside: Path) -> None:
    (folder / "door").mkdir()
    (folder / "door" / "file").write_bytes(b"inside")

    def swap() -> None:
        (folder / "door").rename(folder / "gone")
        (folder / "door").symlink_to(outside)

    assert naive.read_realpath_checked("door/file", between=swap) == b"canary"


def test_a09_writing_while_the_parent_is_swapped(files: ClientFiles, way: str, folder: Path, outside: Path) -> None:
    rounds = {"openat2": 2_000}.get(way, 1_000)
    location = files.locate("door/new")
    with swapping(folder, outside):
        for _ in range(rounds):
            try:
                files.write(location, b"data")
                files.make_directory(files.locate("door/d/e"))
                files.move(location, files.locate("door/moved"))
                files.delete(files.locate("door"), recursive=False)
            except MCPServerError:
                continue
    assert sorted(os.listdir(outside)) == ["file"]
    assert (outside / "file").read_bytes() == b"canary"


def test_a09_control_a_name_is_followed_anew(naive: Any, folder: Path, outside: Path) -> None:
    (folder / "door").symlink_to(outside)
    naive.write("door/new", b"data")
    assert sorted(os.listdir(outside)) == ["file", "new"]


@pytest.mark.parametrize(
    "step",
    ["fstat:before", "write:before", "write:second", "fchmod:before", "fchmod:after", "rename:before", "rename:after"],
)
def test_a21_a_crash_leaves_the_old_file_or_the_new(
    step: str, folder: Path, make_files: Callable[..., ClientFiles]
) -> None:
    result = subprocess.run([sys.executable, "-c", DYING_WRITER, str(folder), step], cwd=REPOSITORY, check=False)
    assert result.returncode == -signal.SIGKILL
    expected = b"n" * 3_000_000 if step == "rename:after" else b"inside"
    assert (folder / "note.txt").read_bytes() == expected

    files = make_files()
    shown = [entry.name for entry in files.list_directory(files.locate(".")).entries]
    assert shown == ["note.txt", "sub"]
    left = [name for name in os.listdir(folder) if name not in shown]
    assert files.sweep() == len(left)
    assert sorted(os.listdir(folder)) == shown


def test_a21_control_writing_in_place_loses_both(folder: Path, naive: Any) -> None:
    class Full:
        def __bytes__(self) -> bytes:
            raise MemoryError

    with pytest.raises(TypeError):
        naive.write("note.txt", Full())
    assert (folder / "note.txt").read_bytes() == b""


def test_a21_a_live_writer_is_not_swept(files: ClientFiles, folder: Path) -> None:
    import fcntl

    name = folder / f".mcp-server-{'0' * 32}.tmp"
    with name.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert files.sweep() == 0
        assert name.exists()
    assert files.sweep() == 1
    assert not name.exists()
