"""Removing trees."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import choose_opener
from mcp_server.resources.isolation.tree_remover import TreeRemover


@pytest.fixture(params=["chosen", "walking"])
def opener(request: pytest.FixtureRequest) -> PathOpener:
    return choose_opener() if request.param == "chosen" else WalkingOpener()


@pytest.fixture
def base(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def test_everything_goes(opener: PathOpener, base: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    for path in ("a/b/c", "a/d", "e"):
        (tree / path).mkdir(parents=True)
    for number in range(3_000):
        (tree / "a" / f"{number}").touch()
    os.mkfifo(tree / "fifo")
    (tree / "a" / "link").symlink_to("b")
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    (tree / os.fsdecode(b"\xff\n")).touch()
    (tree / "a" / "b").chmod(0)
    (tree / "a").chmod(0o1111)
    assert TreeRemover(opener=opener).remove(base, "tree")
    assert os.listdir(tmp_path) == []


def test_what_is_not_there_is_gone(opener: PathOpener, base: int) -> None:
    assert TreeRemover(opener=opener).remove(base, "tree")


def test_a_name_that_is_no_directory_is_unlinked(opener: PathOpener, base: int, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    (tmp_path / "tree").symlink_to("outside")
    (tmp_path / "file").touch()
    assert TreeRemover(opener=opener).remove(base, "tree")
    assert TreeRemover(opener=opener).remove(base, "file")
    assert os.listdir(tmp_path) == ["outside"]
    assert os.listdir(tmp_path / "outside") == ["file"]


def test_removal_ends_when_its_time_is_up(opener: PathOpener, base: int, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "file").touch()
    remover = TreeRemover(opener=opener, clock=lambda: 0.0, max_seconds=0)
    assert not remover.remove(base, "tree")
    assert os.listdir(tmp_path / "tree") == ["file"]


def test_removal_ends_when_nothing_can_be_removed(
    opener: PathOpener, base: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree" / "a" / "b").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "b" / "file").touch()

    def failing(*arguments: Any, **options: Any) -> None:
        raise OSError(5, "input/output error")

    monkeypatch.setattr(os, "rename", failing)
    assert not TreeRemover(opener=opener).remove(base, "tree")
    monkeypatch.undo()
    monkeypatch.setattr(os, "unlink", failing)
    assert not TreeRemover(opener=opener).remove(base, "tree")
    monkeypatch.undo()
    assert TreeRemover(opener=opener).remove(base, "tree")


def test_a_directory_that_becomes_a_link_is_not_entered(
    opener: PathOpener, base: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree" / "a").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").touch()
    real = os.scandir

    def swapping(descriptor: int) -> Any:
        with real(descriptor) as entries:
            listed = list(entries)
        inner = tmp_path / "tree" / "a"
        if inner.is_dir() and not inner.is_symlink():
            # Listed as a directory, and a link when it is opened.
            inner.rmdir()
            inner.symlink_to(tmp_path / "outside")
        return nullcontext(iter(listed))

    monkeypatch.setattr(os, "scandir", swapping)
    assert TreeRemover(opener=opener).remove(base, "tree")
    assert sorted(os.listdir(tmp_path)) == ["outside"]
    assert os.listdir(tmp_path / "outside") == ["file"]


def test_no_descriptor_is_left(opener: PathOpener, base: int, tmp_path: Path) -> None:
    (tmp_path / "tree" / "a" / "b").mkdir(parents=True)
    before = len(os.listdir("/proc/self/fd"))
    assert TreeRemover(opener=opener).remove(base, "tree")
    assert len(os.listdir("/proc/self/fd")) == before
