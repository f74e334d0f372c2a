"""A folder and its files, with both ways to open paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import FileSystemManager, choose_opener


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    (path / "sub").mkdir(parents=True)
    (path / "note.txt").write_bytes(b"hello")
    return path


@pytest.fixture(params=["chosen", "walking"])
def make_files(request: pytest.FixtureRequest, folder: Path) -> Iterator[Callable[..., FileSystemManager]]:
    made: list[FileSystemManager] = []

    def make(*configs: RootConfig, **options: Any) -> FileSystemManager:
        opener = choose_opener() if request.param == "chosen" else WalkingOpener()
        files = FileSystemManager(roots=list(configs) or [RootConfig(folder)], **{"opener": opener, **options})
        made.append(files)
        return files

    yield make
    for files in made:
        files.close()


@pytest.fixture
def files(make_files: Callable[..., FileSystemManager]) -> FileSystemManager:
    return make_files()
