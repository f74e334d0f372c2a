"""One run from its copy to its end."""

from __future__ import annotations

import errno
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.staging_area import StagingArea
from mcp_server.resources.isolation.staging_limits import StagingLimits

REPOSITORY = Path(__file__).parents[4]

# Makes a staging directory, says so, and waits for its own end.
SERVER = """
import sys
from mcp_server.resources.isolation.staging_area import StagingArea
area = StagingArea(sys.argv[1])
open(area.path + "/left", "w").close()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def make(base: Path) -> Iterator[Callable[..., StagingArea]]:
    made: list[StagingArea] = []

    def area(**options: Any) -> StagingArea:
        made.append(StagingArea(base, **options))
        return made[-1]

    yield area
    for each in made:
        each.discard()


def yes(absolute: str, relative: str) -> bool:
    return True


def no(absolute: str, relative: str) -> bool:
    return False


def brief(ledger: EffectLedger) -> list[tuple[str, str, str | None]]:
    return [(str(effect.kind), effect.path, effect.reason) for effect in ledger]


def test_a_directory_of_its_own(make: Callable[..., StagingArea], base: Path) -> None:
    area = make()
    path = Path(area.path)
    assert path.parent == base
    assert re.fullmatch("run-[0-9a-f]{32}", path.name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert os.fstat(area.fileno()).st_ino == path.stat().st_ino
    assert make().path != area.path


def test_the_base_may_be_a_descriptor(base: Path) -> None:
    descriptor = os.open(base, os.O_RDONLY)
    with StagingArea(descriptor) as area:
        assert Path(area.path).parent == base
    assert StagingArea.sweep(descriptor) == 0
    os.close(descriptor)
    assert os.listdir(base) == []


def test_a_base_that_others_may_only_pass_through(base: Path) -> None:
    base.chmod(0o711)
    with StagingArea(base) as area:
        assert Path(area.path).parent == base


@pytest.mark.parametrize("mode", [0o770, 0o705, 0o722, 0o750])
def test_a_base_that_is_open_to_others_is_refused(base: Path, mode: int) -> None:
    base.chmod(mode)
    with pytest.raises(ConfigurationError, match="chmod 700"):
        StagingArea(base)
    with pytest.raises(ConfigurationError, match="chmod 700"):
        StagingArea.sweep(base)


def test_a_base_that_is_none(base: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(base)
    (tmp_path / "file").touch(mode=0o600)
    for path in (tmp_path / "none", tmp_path / "link", tmp_path / "file"):
        with pytest.raises(ConfigurationError):
            StagingArea(path)
    with (tmp_path / "file").open() as stream, pytest.raises(ConfigurationError):
        StagingArea(stream.fileno())


def test_a_base_of_another_account_is_refused(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(ConfigurationError, match="another account"):
        StagingArea(base)


def test_the_directory_is_given_to_its_owner(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda descriptor, uid, gid: given.append((uid, gid)))
    with StagingArea(base, owner=(1234, 5678)):
        assert given == [(1234, 5678)]


@pytest.mark.parametrize(
    ("number", "expected"), [(errno.EPERM, ConfigurationError), (errno.ENOSPC, ResourceUnavailableError)]
)
def test_an_owner_that_cannot_be_had_leaves_nothing(
    base: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]
) -> None:
    def failing(descriptor: int, uid: int, gid: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fchown", failing)
    with pytest.raises(expected):
        StagingArea(base, owner=(1234, 5678))
    assert os.listdir(base) == []


def test_a_name_that_is_taken_is_left_alone(base: Path) -> None:
    tokens = iter(["0" * 32, "0" * 32, "1" * 32, "2" * 32])
    first = StagingArea(base, token=lambda: next(tokens))
    (base / f"run-{'1' * 32}").mkdir()
    second = StagingArea(base, token=lambda: next(tokens))
    assert Path(second.path).name == f"run-{'2' * 32}"
    assert first.discard()
    assert second.discard()
    with pytest.raises(ResourceUnavailableError):
        StagingArea(base, token=lambda: "1" * 32)


def test_the_whole_way(make: Callable[..., StagingArea], files: ClientFiles, folder: Path) -> None:
    (folder / "old").write_bytes(b"old")
    area = make()
    report = area.copy_in(files, may_read=yes)
    assert (report.files, report.directories) == (2, 1)
    assert brief(area.effects()) == []
    inside = Path(area.path)
    (inside / "note.txt").write_bytes(b"HELLO")
    (inside / "new").mkdir()
    (inside / "new" / "file").write_bytes(b"new")
    (inside / "old").unlink()
    expected = [
        ("created", "new", None),
        ("created", "new/file", None),
        ("changed", "note.txt", None),
        ("deleted", "old", None),
    ]
    assert brief(area.effects()) == expected
    assert brief(area.preview(files, yes, yes)) == expected
    assert sorted(os.listdir(folder)) == ["note.txt", "old", "sub"]
    assert brief(area.commit(files, yes, yes)) == expected
    assert sorted(os.listdir(folder)) == ["new", "note.txt", "sub"]
    assert (folder / "note.txt").read_bytes() == b"HELLO"


def test_a_run_that_may_not_write_changes_nothing(
    make: Callable[..., StagingArea], files: ClientFiles, folder: Path
) -> None:
    area = make()
    area.copy_in(files, may_read=yes)
    (Path(area.path) / "note.txt").write_bytes(b"HELLO")
    (Path(area.path) / "sub").rmdir()
    assert {effect.reason for effect in area.commit(files, no, no)} == {"not permitted"}
    assert (folder / "note.txt").read_bytes() == b"hello"
    assert (folder / "sub").is_dir()


def test_a_file_the_client_may_not_read_is_neither_there_nor_replaced(
    make: Callable[..., StagingArea], files: ClientFiles, folder: Path
) -> None:
    area = make()
    area.copy_in(files, may_read=lambda absolute, relative: relative != "note.txt")
    assert os.listdir(area.path) == ["sub"]
    (Path(area.path) / "note.txt").write_bytes(b"overwritten")
    assert brief(area.commit(files, yes, yes)) == [("refused", "note.txt", "exists already")]
    assert (folder / "note.txt").read_bytes() == b"hello"


def test_a_run_that_waits_for_approval(make: Callable[..., StagingArea], files: ClientFiles, folder: Path) -> None:
    area = make()
    area.copy_in(files, may_read=yes)
    (Path(area.path) / "a").write_bytes(b"shown")
    approved = area.preview(files, yes, yes)
    (Path(area.path) / "a").write_bytes(b"later")
    (Path(area.path) / "b").write_bytes(b"later")
    assert [effect.reason for effect in area.commit(files, yes, yes, approved=approved)] == [
        "not what was approved"
    ] * 2
    (Path(area.path) / "a").write_bytes(b"shown")
    assert brief(area.commit(files, yes, yes, approved=approved))[0] == ("created", "a", None)
    assert (folder / "a").read_bytes() == b"shown"


def test_what_was_copied_in_takes_nothing_from_what_may_be_added(
    make: Callable[..., StagingArea], files: ClientFiles
) -> None:
    area = make(limits=StagingLimits(max_files=2))
    assert area.copy_in(files, may_read=yes).files == 1
    for name in ("a", "b"):
        (Path(area.path) / name).touch()
    assert not area.effects().is_truncated
    (Path(area.path) / "c").touch()
    assert area.effects().is_truncated


def test_the_ledger_lists_as_many_as_the_limits_say(make: Callable[..., StagingArea]) -> None:
    area = make(limits=StagingLimits(max_listed_effects=1))
    for name in ("a", "b"):
        (Path(area.path) / name).touch()
    wire = area.effects().to_wire()
    assert (wire["created"], len(wire["effects"]), wire["truncated"]) == (2, 1, True)


def test_a_folder_that_holds_the_staging_directory_is_refused(make: Callable[..., StagingArea], tmp_path: Path) -> None:
    area = make()
    with pytest.raises(ConfigurationError, match="overlaps"):
        area.copy_in(FileSystemManager(roots=[RootConfig(tmp_path)]), may_read=yes)


def test_discarding(make: Callable[..., StagingArea], base: Path, files: ClientFiles) -> None:
    area = make()
    area.copy_in(files, may_read=yes)
    assert area.discard()
    assert os.listdir(base) == []
    assert area.discard()
    with pytest.raises(ResourceUnavailableError, match="gone"):
        area.effects()
    with pytest.raises(ResourceUnavailableError, match="gone"):
        area.copy_in(files, may_read=yes)


def test_what_cannot_be_removed_is_left_to_a_sweep(
    make: Callable[..., StagingArea], base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    area = make()
    (Path(area.path) / "file").touch()

    def failing(*arguments: Any, **options: Any) -> None:
        raise OSError(errno.EIO, "input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", failing)
        assert not area.discard()
        assert StagingArea.sweep(base) == 0
    assert len(os.listdir(base)) == 2
    assert StagingArea.sweep(base) == 1
    assert os.listdir(base) == []


def test_one_that_is_forgotten_leaves_no_descriptor(base: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    StagingArea(base)
    assert len(os.listdir("/proc/self/fd")) == before
    assert StagingArea.sweep(base) == 1


def test_a_sweep_takes_the_dead_and_leaves_the_living(make: Callable[..., StagingArea], base: Path) -> None:
    living = make()
    command = [sys.executable, "-c", SERVER, str(base)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        assert StagingArea.sweep(base) == 0
        server.kill()
    (base / "something else").mkdir()
    (base / f"run-{'3' * 32}").mkdir()
    (base / f"run-{'4' * 32}.lock").touch()
    assert StagingArea.sweep(base) == 3
    name = Path(living.path).name
    assert sorted(os.listdir(base)) == [name, f"{name}.lock", "something else"]


def test_no_descriptor_is_left_after_a_run(base: Path, files: ClientFiles, folder: Path) -> None:
    def run() -> None:
        with StagingArea(base) as area:
            area.copy_in(files, may_read=yes)
            (Path(area.path) / "new").touch()
            (Path(area.path) / "note.txt").unlink()
            area.commit(files, yes, yes)

    run()
    (folder / "note.txt").touch()
    before = len(os.listdir("/proc/self/fd"))
    run()
    assert len(os.listdir("/proc/self/fd")) == before
