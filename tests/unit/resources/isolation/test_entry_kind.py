"""What a status means."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mcp_server.resources.isolation.entry_kind import EntryKind
from mcp_server.resources.isolation.refusal import Refusal


def kind(path: Path) -> EntryKind:
    return EntryKind.of(os.lstat(path))


@pytest.mark.parametrize(
    ("mode", "expected"),
    [(0o600, "file"), (0o400, "file"), (0o4700, "privileged"), (0o2600, "privileged"), (0o200, "closed")],
)
def test_files_by_their_mode(tmp_path: Path, mode: int, expected: str) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    assert kind(path) == expected


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o700, "directory"), (0o500, "directory"), (0o600, "closed"), (0, "closed")]
)
def test_directories_by_their_mode(tmp_path: Path, mode: int, expected: str) -> None:
    path = tmp_path / "directory"
    path.mkdir()
    path.chmod(mode)
    assert kind(path) == expected


def test_second_names_links_and_special_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    os.link(tmp_path / "file", tmp_path / "second")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "fifo")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    kinds = {name: str(kind(tmp_path / name)) for name in ("file", "second", "link", "fifo", "socket")}
    assert kinds == {
        "file": "hard_link",
        "second": "hard_link",
        "link": "symlink",
        "fifo": "fifo",
        "socket": "socket",
    }


def test_only_files_and_directories_are_taken() -> None:
    assert [kind for kind in EntryKind if kind.refusal is None] == [EntryKind.FILE, EntryKind.DIRECTORY]
    assert EntryKind.DEVICE.refusal is Refusal.SPECIAL
