"""A folder, a secret beside it, our implementation in both forms, and the ways everybody writes it first."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.openat2_opener import Openat2Opener
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.kernel.openat2 import Openat2

CANARY = b"canary 5f1c"


class NaiveFiles:
    """What the attacks succeed against: join and open, a prefix check, a check of the real path and then an open."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def joined(self, path: str) -> str:
        return os.path.join(self.folder, path)

    def read(self, path: str) -> bytes:
        with open(self.joined(path), "rb") as stream:
            return stream.read()

    def read_prefix_checked(self, path: str) -> bytes:
        full = os.path.abspath(self.joined(path))
        if not full.startswith(self.folder):
            raise PermissionError(path)
        with open(full, "rb") as stream:
            return stream.read()

    def read_realpath_checked(self, path: str, between: Callable[[], None] = lambda: None) -> bytes:
        full = os.path.realpath(self.joined(path))
        if os.path.commonpath([full, self.folder]) != self.folder:
            raise PermissionError(path)
        between()
        with open(self.joined(path), "rb") as stream:
            return stream.read()

    def write(self, path: str, data: bytes) -> None:
        with open(self.joined(path), "wb") as stream:
            stream.write(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "W"
    path.mkdir()
    (path / "sub").mkdir()
    (path / "note.txt").write_bytes(b"inside")
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file outside; whatever a test does, it must be the same afterwards."""
    path = tmp_path / "SECRET"
    path.write_bytes(CANARY)
    inode = path.stat().st_ino
    yield path
    assert path.read_bytes() == CANARY
    assert path.stat().st_ino == inode


@pytest.fixture
def brokers() -> Iterator[BrokerFactory]:
    factory = BrokerFactory()
    yield factory
    factory.close()


# Where the kernel cannot confine a broker there is none, and what holds for it holds for nobody.
BROKERED = ["brokered"] if BrokerFactory.problem() is None else []


@pytest.fixture(params=["openat2", "walking"])
def opener(request: pytest.FixtureRequest) -> PathOpener:
    if request.param == "walking":
        return WalkingOpener()
    try:
        return Openat2Opener(openat2=Openat2())
    except OSError:
        # A kernel or container without the call runs everything on the walk.
        return WalkingOpener()


@pytest.fixture(params=["openat2", "walking", *BROKERED])
def way(request: pytest.FixtureRequest) -> str:
    """Who opens what a client names: this process in one of two ways, or a broker."""
    return str(request.param)


@pytest.fixture
def make_files(folder: Path, way: str, brokers: BrokerFactory) -> Iterator[Callable[..., ClientFiles]]:
    made: list[ClientFiles] = []

    def make(*more: RootConfig, first: RootConfig | None = None, **options: Any) -> ClientFiles:
        roots = [first if first is not None else RootConfig(folder), *more]
        files: ClientFiles
        if way == "brokered":
            files = BrokeredFiles(roots=roots, start=brokers.start, **options)
        elif way == "walking":
            files = FileSystemManager(roots=roots, opener=WalkingOpener(), **options)
        else:
            # Where the kernel has the call; else this is the walk once more.
            files = FileSystemManager(roots=roots, **options)
        made.append(files)
        return files

    yield make
    for files in made:
        files.close()


@pytest.fixture
def files(make_files: Callable[..., ClientFiles]) -> ClientFiles:
    return make_files()


@pytest.fixture
def naive(folder: Path) -> NaiveFiles:
    return NaiveFiles(folder)


@pytest.fixture
def attempts(files: ClientFiles) -> dict[str, Callable[[str], object]]:
    """Every way to use a path, so that an attack is tried on all of them."""
    locate = files.locate
    return {
        "read": lambda path: files.read(locate(path)),
        "pin": lambda path: files.pin(locate(path)).close(),
        "stat": lambda path: files.stat(locate(path)),
        "list": lambda path: files.list_directory(locate(path)),
        "walk": lambda path: files.walk(locate(path)).close(),
        "write": lambda path: files.write(locate(path), b"x"),
        "create": lambda path: files.write(locate(path), b"x", create_only=True),
        "mkdir": lambda path: files.make_directory(locate(path)),
        "delete": lambda path: files.delete(locate(path)),
        "delete_tree": lambda path: files.delete(locate(path), recursive=True),
        "move_from": lambda path: files.move(locate(path), locate("moved")),
        "move_to": lambda path: files.move(locate("note.txt"), locate(path)),
    }
