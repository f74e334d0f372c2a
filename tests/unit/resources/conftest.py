"""A folder and its files, with both ways to open paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles, Start
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import FileSystemManager, choose_opener


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    (path / "sub").mkdir(parents=True)
    (path / "note.txt").write_bytes(b"hello")
    return path


@pytest.fixture
def brokers() -> Iterator[BrokerFactory]:
    factory = BrokerFactory()
    yield factory
    factory.close()


# Where the kernel cannot confine a broker there is none, and what holds for it holds for nobody.
BROKERED = ["brokered"] if BrokerFactory.problem() is None else []


def kept(folder: Path, way: str, start: Start) -> Iterator[Callable[..., ClientFiles]]:
    made: list[ClientFiles] = []

    def make(*configs: RootConfig, **options: Any) -> ClientFiles:
        roots = list(configs) or [RootConfig(folder)]
        files: ClientFiles
        if way == "brokered":
            files = BrokeredFiles(roots=roots, start=start, **options)
        else:
            opener = choose_opener() if way == "chosen" else WalkingOpener()
            files = FileSystemManager(roots=roots, **{"opener": opener, **options})
        made.append(files)
        return files

    yield make
    for files in made:
        files.close()


@pytest.fixture(params=["chosen", "walking", *BROKERED])
def make_files(request: pytest.FixtureRequest, folder: Path, brokers: BrokerFactory) -> Iterator[Callable[..., Any]]:
    yield from kept(folder, request.param, brokers.start)


@pytest.fixture(params=["chosen", "walking"])
def make_files_here(
    request: pytest.FixtureRequest, folder: Path, brokers: BrokerFactory
) -> Iterator[Callable[..., Any]]:
    """Without the broker: for tests that replace what this process does, which is not what a broker does."""
    yield from kept(folder, request.param, brokers.start)


@pytest.fixture
def files(make_files: Callable[..., ClientFiles]) -> ClientFiles:
    return make_files()


@pytest.fixture
def files_here(make_files_here: Callable[..., ClientFiles]) -> ClientFiles:
    return make_files_here()
