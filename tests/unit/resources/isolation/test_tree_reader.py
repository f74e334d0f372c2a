"""Reading in a tree that may be changing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import choose_opener
from mcp_server.resources.isolation.tree_reader import TreeReader


@pytest.fixture(params=["chosen", "walking"])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TreeReader]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield TreeReader(descriptor, opener=choose_opener() if request.param == "chosen" else WalkingOpener())
    os.close(descriptor)


@pytest.mark.parametrize("content", [b"", b"x", b"y" * 3_000_000])
def test_reading_and_hashing(reader: TreeReader, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_bytes(content)
    assert reader.read("sub/file", max_bytes=len(content)) == content
    assert reader.digest("sub/file", max_bytes=len(content)) == hashlib.sha256(content).hexdigest()


def test_a_larger_file_is_not_read(reader: TreeReader, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1234")
    with pytest.raises(LimitExceededError):
        reader.read("file", max_bytes=3)


@pytest.mark.parametrize(
    ("name", "reason"), [("link", "symlink"), ("second", "hardlink"), ("fifo", "special"), ("directory", "special")]
)
def test_what_is_no_plain_file_is_refused(reader: TreeReader, tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "first").write_bytes(b"x")
    os.link(tmp_path / "first", tmp_path / "second")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    with pytest.raises(SandboxViolationError) as caught:
        reader.read(name, max_bytes=10)
    assert caught.value.reason == reason


@pytest.mark.parametrize("change", [b"longer than before", b"", b"other"])
def test_a_file_that_changes_under_the_reader_is_refused(
    reader: TreeReader, tmp_path: Path, change: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"first")
    os.utime(path, ns=(0, 0))
    real = os.read

    def changing(descriptor: int, size: int) -> bytes:
        path.write_bytes(change)
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", changing)
    with pytest.raises(ResourceUnavailableError) as caught:
        reader.read("file", max_bytes=100)
    assert caught.value.reason == "changed"


def test_no_descriptor_is_left(reader: TreeReader, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "fifo")
    before = len(os.listdir("/proc/self/fd"))
    reader.read("file", max_bytes=1)
    for name, error in (("fifo", SandboxViolationError), ("none", OSError)):
        with pytest.raises(error):
            reader.read(name, max_bytes=1)
    assert len(os.listdir("/proc/self/fd")) == before
