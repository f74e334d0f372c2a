"""A folder, a canary beside it, and brokers of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.broker.broker_factory import MAIN, BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.filesystem.root_config import RootConfig

CANARY = b"canary 77ab"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "W"
    (path / "sub").mkdir(parents=True)
    (path / "note.txt").write_bytes(b"inside")
    (path / "spare").write_bytes(b"spare")
    return path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "outside"
    path.mkdir()
    (path / "canary").write_bytes(CANARY)
    (path / "spare").write_bytes(b"spare")
    (path / "long").write_bytes(b"long")
    return path


@pytest.fixture
def make(folder: Path) -> Iterator[Callable[..., BrokeredFiles]]:
    """Make files that a broker keeps, whose interpreter runs what the test says."""
    made: list[tuple[BrokerFactory, BrokeredFiles]] = []

    def maker(main: str = MAIN, *roots: RootConfig, on_end: Any = lambda reason: None, **options: Any) -> BrokeredFiles:
        factory = BrokerFactory(main=main, **options)
        files = BrokeredFiles(roots=roots or [RootConfig(folder)], start=factory.start, on_end=on_end)
        made.append((factory, files))
        return files

    yield maker
    for factory, files in made:
        files.close()
        factory.close()
