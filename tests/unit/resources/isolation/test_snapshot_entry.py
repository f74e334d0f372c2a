"""One name of a snapshot."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from mcp_server.resources.isolation.snapshot_entry import SnapshotEntry


def test_the_hash_is_no_part_of_the_look(tmp_path: Path) -> None:
    entry = SnapshotEntry.of(os.stat(tmp_path), sha256=None)
    assert entry.looks_like(replace(entry, sha256="00"))


def test_every_other_difference_is(tmp_path: Path) -> None:
    entry = SnapshotEntry.of(os.stat(tmp_path))
    for name in ("inode", "size_bytes", "modified_ns", "changed_ns"):
        assert not entry.looks_like(replace(entry, **{name: -1}))


def test_only_files_have_a_size(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("x" * 100)
    assert SnapshotEntry.of(os.lstat(tmp_path / "link")).size_bytes == 0
    assert SnapshotEntry.of(os.lstat(tmp_path)).size_bytes == 0
