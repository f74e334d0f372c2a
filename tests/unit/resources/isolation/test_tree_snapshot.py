"""Snapshots, and the differences between two of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import choose_opener
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.staging_limits import StagingLimits
from mcp_server.resources.isolation.tree_reader import TreeReader
from mcp_server.resources.isolation.tree_snapshot import TreeSnapshot

Take = Callable[..., TreeSnapshot]
Compare = Callable[..., EffectLedger]


@pytest.fixture(params=["chosen", "walking"])
def opener(request: pytest.FixtureRequest) -> PathOpener:
    return choose_opener() if request.param == "chosen" else WalkingOpener()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    (path / "sub" / "deep").mkdir(parents=True)
    (path / "sub" / "deep" / "file").write_bytes(b"content")
    (path / "a").write_bytes(b"aaa")
    return path


@pytest.fixture
def directory(tree: Path) -> Iterator[int]:
    descriptor = os.open(tree, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def take(directory: int, opener: PathOpener) -> Take:
    def snapshot(**options: Any) -> TreeSnapshot:
        limits = StagingLimits(**{name: options.pop(name) for name in list(options) if name.startswith("max_")})
        return TreeSnapshot.take(directory, opener=opener, limits=limits, **options)

    return snapshot


@pytest.fixture
def compare(directory: int, opener: PathOpener) -> Compare:
    def effects(later: TreeSnapshot, earlier: TreeSnapshot, **options: Any) -> EffectLedger:
        reader = TreeReader(directory, opener=opener)
        return later.effects_since(earlier, reader=reader, limits=StagingLimits(**options))

    return effects


def brief(ledger: EffectLedger) -> list[tuple[str, str, str | None]]:
    return [(str(effect.kind), effect.path, effect.reason) for effect in ledger]


def test_every_name_with_its_kind(take: Take, tree: Path) -> None:
    (tree / "link").symlink_to("a")
    snapshot = take()
    assert {path: str(entry.kind) for path, entry in snapshot.entries.items()} == {
        "a": "file",
        "link": "symlink",
        "sub": "directory",
        "sub/deep": "directory",
        "sub/deep/file": "file",
    }
    assert (dict(snapshot.unseen), snapshot.is_truncated) == ({}, False)


def test_nothing_is_hashed_unless_asked(take: Take) -> None:
    assert {entry.sha256 for entry in take().entries.values()} == {None}
    hashed = take(with_digests=True).entries
    assert hashed["a"].sha256 == "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"
    assert hashed["sub"].sha256 is None


def test_hashing_stops_at_the_limit_of_bytes(take: Take) -> None:
    entries = take(with_digests=True, max_bytes=5).entries
    assert entries["a"].sha256 is not None
    assert entries["sub/deep/file"].sha256 is None


def test_more_names_than_the_limit(take: Take) -> None:
    snapshot = take(max_files=2)
    assert (list(snapshot.entries), snapshot.is_truncated) == (["a", "sub"], True)
    assert not take(max_files=4).is_truncated


def test_deeper_than_the_limit(take: Take) -> None:
    snapshot = take(max_depth=2)
    assert list(snapshot.entries) == ["a", "sub", "sub/deep"]
    assert dict(snapshot.unseen) == {"sub/deep": "too deep"}


def test_a_closed_directory_is_not_entered(take: Take, tree: Path) -> None:
    (tree / "sub").chmod(0)
    snapshot = take()
    (tree / "sub").chmod(0o700)
    assert list(snapshot.entries) == ["a", "sub"]
    assert dict(snapshot.unseen) == {"sub": "not readable"}


def test_a_name_that_vanishes_is_left_out(take: Take, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.stat

    def vanishing(path: Any, **options: Any) -> os.stat_result:
        if path == "a":
            (tree / "a").unlink()
        return real(path, **options)

    monkeypatch.setattr(os, "stat", vanishing)
    assert "a" not in take().entries


def test_a_directory_that_becomes_a_link_is_not_entered(
    take: Take, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").touch()
    real = os.stat

    def swapping(path: Any, **options: Any) -> os.stat_result:
        status = real(path, **options)
        if path == "sub":
            (tree / "sub").rename(tmp_path / "gone")
            (tree / "sub").symlink_to(tmp_path / "outside")
        return status

    monkeypatch.setattr(os, "stat", swapping)
    snapshot = take()
    assert list(snapshot.entries) == ["a", "sub"]
    assert list(snapshot.unseen) == ["sub"]


def test_no_descriptor_is_left(take: Take) -> None:
    before = len(os.listdir("/proc/self/fd"))
    take()
    take(max_files=2)
    take(max_depth=1)
    assert len(os.listdir("/proc/self/fd")) == before


def test_nothing_happened(take: Take, compare: Compare) -> None:
    earlier = take(with_digests=True)
    assert brief(compare(take(), earlier)) == []


def test_created_changed_and_deleted(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take(with_digests=True)
    (tree / "a").write_bytes(b"longer")
    (tree / "new").mkdir()
    (tree / "new" / "file").write_bytes(b"x")
    (tree / "sub" / "deep" / "file").unlink()
    (tree / "sub" / "deep").rmdir()
    ledger = compare(take(), earlier)
    assert brief(ledger) == [
        ("changed", "a", None),
        ("created", "new", None),
        ("created", "new/file", None),
        ("deleted", "sub/deep", None),
        ("deleted", "sub/deep/file", None),
    ]
    assert [effect.size_bytes for effect in ledger] == [6, 0, 1, 0, 7]
    assert [effect.sha256 is None for effect in ledger] == [False, True, False, True, False]


def test_a_file_that_was_only_touched_is_no_effect(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take(with_digests=True)
    (tree / "a").write_bytes(b"aaa")
    os.utime(tree / "a", ns=(1, 1))
    assert brief(compare(take(), earlier)) == []


def test_without_hashes_inode_size_and_times_are_compared(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take()
    (tree / "new").write_bytes(b"aaa")
    (tree / "new").rename(tree / "a")
    assert brief(compare(take(), earlier)) == [("changed", "a", None)]


def test_a_file_in_place_of_a_directory_and_the_reverse(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take(with_digests=True)
    (tree / "a").unlink()
    (tree / "a").mkdir()
    (tree / "a" / "inner").write_bytes(b"x")
    (tree / "sub").rename(tree / "moved")
    (tree / "sub").write_bytes(b"now a file")
    words = "a file and a directory of the same name"
    assert brief(compare(take(), earlier)) == [
        ("refused", "a", words),
        ("refused", "a/inner", words),
        ("created", "moved", None),
        ("created", "moved/deep", None),
        ("created", "moved/deep/file", None),
        ("refused", "sub", words),
    ]


def test_what_was_not_looked_at_is_not_taken_for_deleted(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take(with_digests=True)
    (tree / "sub").chmod(0)
    later = take()
    (tree / "sub").chmod(0o700)
    assert brief(compare(later, earlier)) == [("refused", "sub", "not readable")]


def test_of_a_tree_that_is_too_large_nothing_is_taken(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take(with_digests=True)
    (tree / "a").unlink()
    (tree / "b").write_bytes(b"x")
    (tree / "c").write_bytes(b"x")
    ledger = compare(take(max_files=3), earlier)
    assert brief(ledger) == [("refused", "b", "too many files"), ("refused", "c", "too many files")]
    assert ledger.is_truncated


def test_more_bytes_than_the_limit(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take(with_digests=True)
    for name in ("b", "c", "d"):
        (tree / name).write_bytes(b"12345678" if name == "c" else b"1234")
    ledger = compare(take(), earlier, max_bytes=9)
    assert brief(ledger) == [("created", "b", None), ("refused", "c", "too large"), ("created", "d", None)]


def test_links_and_special_files_are_refused(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take(with_digests=True)
    (tree / "link").symlink_to("a")
    os.mkfifo(tree / "fifo")
    (tree / "a").chmod(0o4700)
    os.link(tree / "sub" / "deep" / "file", tree / "second")
    assert brief(compare(take(), earlier)) == [
        ("refused", "a", "setuid or setgid bit"),
        ("refused", "fifo", "special file"),
        ("refused", "link", "symbolic link"),
        ("refused", "second", "hard link"),
        ("refused", "sub/deep/file", "hard link"),
    ]


def test_a_link_that_was_there_before_is_no_effect(take: Take, compare: Compare, tree: Path) -> None:
    (tree / "link").symlink_to("a")
    earlier = take(with_digests=True)
    assert brief(compare(take(), earlier)) == []
    (tree / "link").unlink()
    assert brief(compare(take(), earlier)) == [("deleted", "link", None)]


def test_a_file_that_grows_before_it_is_hashed_is_refused(take: Take, compare: Compare, tree: Path) -> None:
    earlier = take(with_digests=True)
    (tree / "new").write_bytes(b"short")
    later = take()
    (tree / "new").write_bytes(b"longer than it was")
    (tree / "a").unlink()
    assert brief(compare(later, earlier)) == [
        ("refused", "a", "changed while it was read"),
        ("refused", "new", "changed while it was read"),
    ]
