from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_server.resources.kernel.inotify import IN_CLOSE_WRITE, IN_CREATE, IN_MOVED_TO, Inotify


def test_reports_names(tmp_path: Path) -> None:
    queue = Inotify()
    directory = os.open(tmp_path, os.O_PATH)
    watch = queue.add(directory, IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO)
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a").rename(tmp_path / "b")
    events = queue.read()
    assert [(event.watch, event.mask, event.name) for event in events] == [
        (watch, IN_CREATE, "a"),
        (watch, IN_CLOSE_WRITE, "a"),
        (watch, IN_MOVED_TO, "b"),
    ]
    assert queue.add(directory, IN_CREATE) == watch
    queue.remove(watch)
    queue.remove(watch + 99)
    (tmp_path / "c").touch()
    assert all(not event.name for event in queue.read())
    os.close(directory)
    queue.close()
    queue.close()


def test_only_directories(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    queue = Inotify()
    descriptor = os.open(tmp_path / "a", os.O_PATH)
    with pytest.raises(NotADirectoryError):
        queue.add(descriptor, IN_CREATE)
    os.close(descriptor)
    queue.close()
