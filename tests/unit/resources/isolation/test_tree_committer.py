"""Taking back, against a folder that may have changed meanwhile."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_limits import FileLimits
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager, choose_opener
from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.snapshot_entry import SnapshotEntry
from mcp_server.resources.isolation.tree_committer import TreeCommitter
from mcp_server.resources.isolation.tree_reader import TreeReader

Run = Callable[..., EffectLedger]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    path.mkdir()
    return path


@pytest.fixture
def make(tree: Path, files: ClientFiles, folder: Path) -> Iterator[Callable[..., TreeCommitter]]:
    descriptor = os.open(tree, os.O_RDONLY)

    def committer(*, manager: ClientFiles = files, **predicates: Any) -> TreeCommitter:
        copied = {
            str(path.relative_to(folder)): SnapshotEntry.of(
                path.stat(), sha256=hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
            )
            for path in folder.rglob("*")
            if not path.is_symlink()
        }
        return TreeCommitter(
            manager=manager,
            reader=TreeReader(descriptor, opener=choose_opener()),
            copied=copied,
            **{
                "may_write": lambda absolute, relative: True,
                "may_delete": lambda absolute, relative: True,
                **predicates,
            },
        )

    yield committer
    os.close(descriptor)


@pytest.fixture
def run(make: Callable[..., TreeCommitter]) -> Run:
    def commit(*effects: Effect, committer: TreeCommitter | None = None, **options: Any) -> EffectLedger:
        chosen = committer if committer is not None else make(**options)
        return chosen.carry_out(chosen.planned(EffectLedger(effects)))

    return commit


def written(tree: Path, path: str, data: bytes = b"new", kind: EffectKind = EffectKind.CREATED) -> Effect:
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_bytes(data)
    return Effect(kind, path, len(data), sha256=hashlib.sha256(data).hexdigest())


def changed(tree: Path, path: str, data: bytes = b"new") -> Effect:
    return written(tree, path, data, EffectKind.CHANGED)


def deleted(folder: Path, path: str) -> Effect:
    if (folder / path).is_dir():
        return Effect(EffectKind.DELETED, path, is_directory=True)
    data = (folder / path).read_bytes()
    return Effect(EffectKind.DELETED, path, len(data), sha256=hashlib.sha256(data).hexdigest())


def directory(path: str) -> Effect:
    return Effect(EffectKind.CREATED, path, is_directory=True)


def brief(ledger: EffectLedger) -> list[tuple[str, str, str | None]]:
    return [(str(effect.kind), effect.path, effect.reason) for effect in ledger]


def test_created_changed_and_deleted(run: Run, tree: Path, folder: Path) -> None:
    (folder / "old").write_bytes(b"old")
    ledger = run(
        directory("new"), written(tree, "new/file"), changed(tree, "note.txt", b"other"), deleted(folder, "old"),
        deleted(folder, "sub"),
    )  # fmt: skip
    assert brief(ledger) == [
        ("created", "new", None),
        ("created", "new/file", None),
        ("changed", "note.txt", None),
        ("deleted", "old", None),
        ("deleted", "sub", None),
    ]
    assert (folder / "new" / "file").read_bytes() == b"new"
    assert (folder / "note.txt").read_bytes() == b"other"
    assert sorted(os.listdir(folder)) == ["new", "note.txt"]


def test_a_directory_goes_after_what_is_in_it(run: Run, folder: Path) -> None:
    (folder / "sub" / "inner").mkdir()
    (folder / "sub" / "inner" / "file").touch()
    paths = ("sub", "sub/inner", "sub/inner/file")
    assert {kind for kind, _, _ in brief(run(*(deleted(folder, path) for path in paths)))} == {"deleted"}
    assert os.listdir(folder) == ["note.txt"]


def test_planning_changes_nothing(make: Callable[..., TreeCommitter], tree: Path, folder: Path) -> None:
    effects = EffectLedger([written(tree, "new"), deleted(folder, "note.txt"), written(tree, ".env")])
    ledger = make().planned(effects)
    assert brief(ledger) == [
        ("refused", ".env", "protected name"),
        ("created", "new", None),
        ("deleted", "note.txt", None),
    ]
    assert sorted(os.listdir(folder)) == ["note.txt", "sub"]


def test_permissions_are_asked_for_each_place(run: Run, tree: Path, folder: Path) -> None:
    asked: list[tuple[str, str, str]] = []

    def may(what: str, absolute: str, relative: str) -> bool:
        asked.append((what, absolute, relative))
        return relative == "a"

    ledger = run(
        written(tree, "a"),
        written(tree, "b"),
        deleted(folder, "note.txt"),
        may_write=lambda absolute, relative: may("write", absolute, relative),
        may_delete=lambda absolute, relative: may("delete", absolute, relative),
    )
    assert brief(ledger) == [
        ("created", "a", None),
        ("refused", "b", "not permitted"),
        ("refused", "note.txt", "not permitted"),
    ]
    assert asked == [
        ("write", f"{folder}/a", "a"),
        ("write", f"{folder}/b", "b"),
        ("delete", f"{folder}/note.txt", "note.txt"),
    ]
    assert sorted(os.listdir(folder)) == ["a", "note.txt", "sub"]


def test_a_predicate_that_fails_stops_everything_before_anything_is_written(run: Run, tree: Path, folder: Path) -> None:
    def may_write(absolute: str, relative: str) -> bool:
        if relative == "b":
            raise RuntimeError("no answer")
        return True

    with pytest.raises(RuntimeError, match="no answer"):
        run(written(tree, "a"), written(tree, "b"), may_write=may_write)
    assert sorted(os.listdir(folder)) == ["note.txt", "sub"]


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "\u202etxt.exe", os.fsdecode(b"\xff"), "bad\n/inner"])
def test_names_that_do_not_show_are_refused(run: Run, tree: Path, folder: Path, name: str) -> None:
    assert [effect.reason for effect in run(written(tree, name))] == ["unusable name"]
    assert sorted(os.listdir(folder)) == ["note.txt", "sub"]


@pytest.mark.parametrize("name", [f".mcp-server-{'0' * 32}.tmp", "x/" * 2_100 + "x", "./a", "../a", "a//b"])
def test_names_the_client_could_not_write_are_refused(run: Run, name: str) -> None:
    assert [effect.reason for effect in run(Effect(EffectKind.CREATED, name, 1, sha256="00"))] == ["unusable name"]


def test_a_folder_that_is_only_read(
    run: Run, make_files: Callable[..., FileSystemManager], tree: Path, folder: Path
) -> None:
    manager = make_files(RootConfig(folder, writable=False))
    assert [effect.reason for effect in run(written(tree, "a"), manager=manager)] == ["protected name"]


def test_another_folder_of_the_client_inside_the_first(
    run: Run, make_files: Callable[..., FileSystemManager], tree: Path, folder: Path
) -> None:
    manager = make_files(RootConfig(folder), RootConfig(folder / "sub"))
    assert [effect.reason for effect in run(written(tree, "sub/a"), manager=manager)] == ["in another folder"]


def test_a_file_larger_than_a_write_may_be(
    run: Run, make_files: Callable[..., FileSystemManager], tree: Path, folder: Path
) -> None:
    manager = make_files(limits=FileLimits(max_write_bytes=2))
    ledger = run(written(tree, "a"), written(tree, "b", b"12"), manager=manager)
    assert brief(ledger) == [("refused", "a", "too large"), ("created", "b", None)]


def test_a_directory_that_is_there_already_is_no_effect(run: Run, folder: Path) -> None:
    assert brief(run(directory("sub"), may_write=lambda absolute, relative: False)) == []


def test_a_directory_somebody_made_meanwhile(make: Callable[..., TreeCommitter], folder: Path) -> None:
    committer = make()
    planned = committer.planned(EffectLedger([directory("new")]))
    (folder / "new").mkdir()
    assert brief(committer.carry_out(planned)) == [("refused", "new", "exists already")]


def test_what_is_in_a_refused_directory_is_refused(run: Run, tree: Path) -> None:
    ledger = run(
        directory("new"), written(tree, "new/file"), may_write=lambda absolute, relative: relative == "new/file"
    )
    assert brief(ledger) == [("refused", "new", "not permitted"), ("refused", "new/file", "its directory is missing")]


def test_a_file_that_was_changed_meanwhile_is_left(
    make: Callable[..., TreeCommitter], run: Run, tree: Path, folder: Path
) -> None:
    committer = make()
    effects = [changed(tree, "note.txt"), written(tree, "new")]
    (folder / "note.txt").write_bytes(b"HELLO")
    (folder / "new").write_bytes(b"theirs")
    assert brief(run(*effects, committer=committer)) == [
        ("refused", "new", "exists already"),
        ("refused", "note.txt", "changed meanwhile"),
    ]
    assert (folder / "note.txt").read_bytes() == b"HELLO"
    assert (folder / "new").read_bytes() == b"theirs"


def test_a_deletion_of_what_was_changed_meanwhile_is_refused(
    make: Callable[..., TreeCommitter], run: Run, folder: Path
) -> None:
    committer = make()
    effect = deleted(folder, "note.txt")
    (folder / "note.txt").write_bytes(b"HELLO")
    assert [each.reason for each in run(effect, committer=committer)] == ["changed meanwhile"]
    (folder / "note.txt").unlink()
    assert [each.reason for each in run(effect, committer=committer)] == ["changed meanwhile"]
    (folder / "note.txt").symlink_to("sub")
    assert [each.reason for each in run(effect, committer=committer)] == ["symbolic link"]
    assert (folder / "note.txt").is_symlink()


def test_a_file_saved_at_the_moment_of_its_removal_is_given_back(
    files: ClientFiles, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., None] = type(files).move
    moves: list[str] = []

    def saving(manager: ClientFiles, source: FileLocation, destination: FileLocation) -> None:
        if not moves:
            (folder / "saved").write_bytes(b"theirs")
            (folder / "saved").rename(folder / "note.txt")
        moves.append(destination.name)
        real(manager, source, destination)

    monkeypatch.setattr(type(files), "move", saving)
    assert [effect.reason for effect in run(deleted(folder, "note.txt"))] == ["changed meanwhile"]
    assert (folder / "note.txt").read_bytes() == b"theirs"
    assert len(moves) == 2
    assert sorted(os.listdir(folder)) == ["note.txt", "sub"]


def test_a_sweep_at_the_moment_of_a_removal_takes_nothing(
    run: Run, files: ClientFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[int] = []
    real: Callable[..., None] = type(files).delete

    def sweeping(manager: ClientFiles, location: FileLocation) -> None:
        swept.append(files.sweep())
        real(manager, location)

    monkeypatch.setattr(type(files), "delete", sweeping)
    assert brief(run(deleted(folder, "note.txt"))) == [("deleted", "note.txt", None)]
    assert swept == [0]


def test_a_directory_that_is_not_empty_stays(make: Callable[..., TreeCommitter], run: Run, folder: Path) -> None:
    committer = make()
    (folder / "sub" / "theirs").touch()
    assert [effect.reason for effect in run(deleted(folder, "sub"), committer=committer)] == ["not empty"]
    assert (folder / "sub" / "theirs").exists()


def test_a_staged_file_that_is_not_what_was_judged_is_refused(run: Run, tree: Path, folder: Path) -> None:
    effects = [written(tree, name, b"judged") for name in ("content", "gone", "grown", "link")]
    (tree / "content").write_bytes(b"swappd")
    (tree / "gone").unlink()
    (tree / "grown").write_bytes(b"judged and more")
    (tree / "link").unlink()
    (tree / "link").symlink_to(folder / "note.txt")
    assert [(effect.path, effect.reason) for effect in run(*effects)] == [
        ("content", "changed while it was read"),
        ("gone", "changed while it was read"),
        ("grown", "changed while it was read"),
        ("link", "symbolic link"),
    ]
    assert sorted(os.listdir(folder)) == ["note.txt", "sub"]


def test_what_was_moved_to_a_refused_place_is_not_deleted(run: Run, tree: Path, folder: Path) -> None:
    (folder / "other").write_bytes(b"other content")
    ledger = run(written(tree, ".env", b"hello"), deleted(folder, "note.txt"), deleted(folder, "other"))
    assert brief(ledger) == [
        ("refused", ".env", "protected name"),
        ("refused", "note.txt", "its content has no other place"),
        ("deleted", "other", None),
    ]
    assert (folder / "note.txt").read_bytes() == b"hello"


def test_where_nobody_looked_a_file_of_that_size_may_be_the_moved_one(run: Run, folder: Path) -> None:
    refused = Effect(EffectKind.CREATED, "hard", 5).refused("hard link")
    ledger = run(refused, deleted(folder, "note.txt"))
    assert brief(ledger)[1] == ("refused", "note.txt", "its content has no other place")
    other = Effect(EffectKind.CREATED, "hard", 6).refused("hard link")
    assert brief(run(other, deleted(folder, "note.txt")))[1] == ("deleted", "note.txt", None)


@pytest.mark.parametrize("reason", ["too deep", "not readable"])
def test_where_a_directory_was_not_looked_at_nothing_is_deleted(run: Run, folder: Path, reason: str) -> None:
    unseen = Effect(EffectKind.CREATED, "deep", is_directory=True).refused(reason)
    ledger = run(unseen, deleted(folder, "note.txt"))
    assert brief(ledger)[1] == ("refused", "note.txt", "its content has no other place")


def test_only_what_was_approved_is_done(make: Callable[..., TreeCommitter], tree: Path, folder: Path) -> None:
    committer = make()
    approved = committer.planned(
        EffectLedger([written(tree, "a", b"seen"), written(tree, "b", b"seen"), written(tree, "gone", b"seen")])
    )
    now = EffectLedger([written(tree, "a", b"seen"), written(tree, "b", b"else"), written(tree, "c", b"late")])
    ledger = committer.carry_out(committer.planned(now, approved=approved))
    assert brief(ledger) == [
        ("created", "a", None),
        ("refused", "b", "not what was approved"),
        ("refused", "c", "not what was approved"),
        ("refused", "gone", "not what was approved"),
    ]
    assert sorted(os.listdir(folder)) == ["a", "note.txt", "sub"]


def test_what_was_shown_as_refused_is_not_approved(make: Callable[..., TreeCommitter], tree: Path) -> None:
    effects = EffectLedger([written(tree, "a")])
    approved = make(may_write=lambda absolute, relative: False).planned(effects)
    assert brief(make().planned(effects, approved=approved)) == [("refused", "a", "not what was approved")]
