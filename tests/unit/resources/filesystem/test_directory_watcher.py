from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.directory_watcher import DirectoryWatcher

Changed = Callable[[], list[str]]


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def watcher(told: list[str]) -> Iterator[DirectoryWatcher]:
    watcher = DirectoryWatcher(on_change=told.append, max_files=3)
    yield watcher
    watcher.close()


def test_tells_of_the_watched_file_only(
    watcher: DirectoryWatcher, told: list[str], files: ClientFiles, folder: Path
) -> None:
    name = str(folder / "note.txt")
    files.watch(files.locate("note.txt"), watcher)
    watcher.drain()
    assert told == []
    (folder / "other").write_bytes(b"x")
    (folder / "note.txt").write_bytes(b"1")
    (folder / "note.txt").write_bytes(b"2")
    watcher.drain()
    assert told == [name]
    (folder / "note.txt").unlink()
    watcher.drain()
    (folder / "other").rename(folder / "note.txt")
    watcher.drain()
    assert told == [name] * 3


def test_a_directory_that_goes_is_told_and_forgotten(
    watcher: DirectoryWatcher, told: list[str], files: ClientFiles, folder: Path
) -> None:
    files.watch(files.locate("sub/later"), watcher)
    shutil.move(folder / "sub", folder / "gone")
    watcher.drain()
    assert told == [str(folder / "sub" / "later")]
    (folder / "gone" / "later").write_bytes(b"x")
    watcher.drain()
    assert len(told) == 1
    with pytest.raises(ResourceUnavailableError):
        files.watch(files.locate("sub/later"), watcher)


def test_the_longest_unasked_for_gives_way(
    watcher: DirectoryWatcher, told: list[str], files: ClientFiles, folder: Path
) -> None:
    for name in ("a", "b", "c", "a", "d"):
        files.watch(files.locate(f"sub/{name}"), watcher)
    for name in ("a", "b", "c", "d"):
        (folder / "sub" / name).write_bytes(b"x")
    watcher.drain()
    assert sorted(map(os.path.basename, told)) == ["a", "c", "d"]


def test_after_closing_nothing_is_watched(watcher: DirectoryWatcher, files: ClientFiles) -> None:
    watcher.close()
    watcher.drain()
    with pytest.raises(ResourceUnavailableError):
        files.watch(files.locate("note.txt"), watcher)
