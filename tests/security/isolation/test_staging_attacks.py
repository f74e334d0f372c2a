"""A20, A23, B03, B11, D05: what hostile code leaves in a staging directory, and what becomes of it.

Each attack stands beside its control: the way everybody writes it first, against which it succeeds.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.filesystem.openat2_opener import Openat2Opener
from mcp_server.resources.filesystem.path_opener import PathOpener
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.snapshot_entry import SnapshotEntry
from mcp_server.resources.isolation.staging_area import StagingArea
from mcp_server.resources.isolation.staging_limits import StagingLimits
from mcp_server.resources.kernel.mount_table import MountTable
from mcp_server.resources.kernel.openat2 import Openat2

REPOSITORY = Path(__file__).parents[3]
CANARY = b"canary 77ad"
MEBIBYTES = 1024 * 1024

# Exchanges two names as fast as it can, in a process of its own.
SWAPPER = """
import os, sys
from mcp_server.resources.kernel.renameat2 import RENAME_EXCHANGE, Renameat2
directory = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
renameat2 = Renameat2()
print("ready", flush=True)
while True:
    renameat2.rename(directory, sys.argv[2], directory, sys.argv[3], flags=RENAME_EXCHANGE)
"""

# What runs as the sandbox's own account: it has the directory by a descriptor, and no way to it by name.
GUEST = """
cd "/proc/self/fd/$1" && printf 'by the guest' > note.txt && mkdir made && printf new > made/file
"""


class AttackingOpener:
    """Opens as the other one does, and lets the attacker act before a chosen step."""

    def __init__(self, inner: PathOpener) -> None:
        self.inner = inner
        self.calls = 0
        self.at = -1
        self.attack: Callable[[], None] = lambda: None

    def open(self, directory: int, parts: Sequence[str], flags: int, *, cross_mounts: bool = False) -> int:
        if self.calls == self.at:
            self.attack()
        self.calls += 1
        return self.inner.open(directory, parts, flags, cross_mounts=cross_mounts)


@pytest.fixture(params=["openat2", "walking"])
def opener(request: pytest.FixtureRequest) -> PathOpener:
    if request.param == "walking":
        return WalkingOpener()
    try:
        return Openat2Opener(openat2=Openat2())
    except OSError:
        # A kernel or container without the call runs everything on the walk.
        return WalkingOpener()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    (path / "sub").mkdir(parents=True)
    (path / "note.txt").write_bytes(b"original")
    return path


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file outside; whatever a test does, it must be the same afterwards."""
    path = tmp_path / "outside" / "secret"
    path.parent.mkdir()
    path.write_bytes(CANARY)
    inode = path.stat().st_ino
    yield path
    assert path.read_bytes() == CANARY
    assert path.stat().st_ino == inode
    assert os.listdir(path.parent) == ["secret"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def files(folder: Path, opener: PathOpener) -> Iterator[FileSystemManager]:
    manager = FileSystemManager(roots=[RootConfig(folder)], opener=opener)
    yield manager
    manager.close()


@pytest.fixture
def area(base: Path, files: FileSystemManager, opener: PathOpener) -> Iterator[StagingArea]:
    with StagingArea(base, opener=opener) as area:
        area.copy_in(files, may_read=yes)
        yield area
    assert os.listdir(base) == []


@pytest.fixture
def inside(area: StagingArea) -> Path:
    """Where the attacker writes."""
    return Path(area.path)


def yes(absolute: str, relative: str) -> bool:
    return True


def commit(area: StagingArea, files: FileSystemManager) -> list[tuple[str, str, str | None]]:
    return brief(area.commit(files, yes, yes))


def brief(ledger: EffectLedger) -> list[tuple[str, str, str | None]]:
    return [(str(effect.kind), effect.path, effect.reason) for effect in ledger]


def content(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def naive_commit(inside: Path, folder: Path, between: Callable[[], None] = lambda: None) -> None:
    """Look at each path, then copy it by its path."""
    names = [path.relative_to(inside) for path in sorted(inside.rglob("*")) if path.is_file() and not path.is_symlink()]
    between()
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(inside / name, folder / name)


# Links.


@pytest.mark.parametrize(
    "target", ["{secret}", "../../outside/secret", "/etc/passwd", "/proc/self/environ", "dangling"]
)
def test_a_link_to_a_secret(
    area: StagingArea, files: FileSystemManager, inside: Path, secret: Path, folder: Path, target: str
) -> None:
    before = content(folder)
    (inside / "gift").symlink_to(target.format(secret=secret))
    assert commit(area, files) == [("refused", "gift", "symbolic link")]
    assert content(folder) == before


def test_control_a_link_to_a_secret(inside: Path, secret: Path, folder: Path) -> None:
    (inside / "gift").symlink_to("../../outside/secret")
    shutil.copytree(inside, folder, dirs_exist_ok=True)
    assert (folder / "gift").read_bytes() == CANARY


def test_a_link_to_a_directory(
    area: StagingArea, files: FileSystemManager, inside: Path, secret: Path, folder: Path
) -> None:
    before = content(folder)
    (inside / "gift").symlink_to(secret.parent)
    (inside / "sub").rmdir()
    (inside / "sub").symlink_to("../../outside")
    assert commit(area, files) == [("refused", "gift", "symbolic link"), ("refused", "sub", "symbolic link")]
    assert content(folder) == before


def test_control_a_link_to_a_directory(inside: Path, secret: Path) -> None:
    (inside / "gift").symlink_to(secret.parent)
    assert (inside / "gift" / "secret").read_bytes() == CANARY


def test_a_link_in_place_of_a_file_that_was_copied_in(
    area: StagingArea, files: FileSystemManager, inside: Path, secret: Path, folder: Path
) -> None:
    (inside / "note.txt").unlink()
    (inside / "note.txt").symlink_to(secret)
    assert commit(area, files) == [("refused", "note.txt", "symbolic link")]
    assert (folder / "note.txt").read_bytes() == b"original"


def test_a_link_swapped_in_at_every_step_of_the_commit(
    base: Path, files: FileSystemManager, opener: PathOpener, secret: Path, folder: Path
) -> None:
    outcomes = set()
    for step in range(200):
        attacking = AttackingOpener(opener)
        with StagingArea(base, opener=attacking) as area:
            inside = Path(area.path)
            (inside / "gift").mkdir()
            (inside / "gift" / "secret").write_bytes(b"harmless")
            (inside / "file").write_bytes(b"harmless")

            def attack(inside: Path = inside) -> None:
                (inside / "gift").rename(inside / "gone")
                (inside / "gift").symlink_to(secret.parent)
                (inside / "file").unlink()
                (inside / "file").symlink_to(secret)

            attacking.calls, attacking.at, attacking.attack = 0, step, attack
            ledger = area.commit(files, yes, yes)
            is_over = attacking.calls <= step
        outcomes |= {(str(effect.kind), effect.reason) for effect in ledger}
        for path in ("gift/secret", "file"):
            if (folder / path).exists():
                assert (folder / path).read_bytes() == b"harmless"
                (folder / path).unlink()
        shutil.rmtree(folder / "gift", ignore_errors=True)
        if is_over:
            break
    else:
        pytest.fail("the commit never came to an end")
    # The attacker came in time at some steps and too late at others, or this proves nothing.
    assert {("refused", "symbolic link"), ("created", None)} <= outcomes


def test_control_a_link_swapped_in_during_a_commit(inside: Path, secret: Path, folder: Path) -> None:
    (inside / "gift").write_bytes(b"harmless")

    def attack() -> None:
        (inside / "gift").unlink()
        (inside / "gift").symlink_to(secret)

    naive_commit(inside, folder, between=attack)
    assert (folder / "gift").read_bytes() == CANARY


@contextmanager
def swapping(directory: Path, first: str, second: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", SWAPPER, str(directory), first, second],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.communicate()


def test_a_race_against_a_process_that_still_runs(
    area: StagingArea, files: FileSystemManager, inside: Path, secret: Path, folder: Path
) -> None:
    (inside / "gift").write_bytes(b"harmless")
    (inside / "link").symlink_to(secret)
    created = refused = 0
    with swapping(inside, "gift", "link"):
        for _ in range(5_000):
            for effect in area.commit(files, yes, yes):
                if effect.path == "gift" or effect.path == "link":
                    created += effect.kind == "created"
                    refused += effect.kind == "refused"
            for name in ("gift", "link"):
                if (folder / name).exists():
                    assert (folder / name).read_bytes() == b"harmless"
                    (folder / name).unlink()
            if min(created, refused) >= 300:
                break
    # Both happened, or the race was none.
    assert created > 0
    assert refused > 0


def test_a_link_in_the_folder_itself(
    area: StagingArea, files: FileSystemManager, inside: Path, secret: Path, folder: Path
) -> None:
    (inside / "sub" / "secret").write_bytes(b"overwritten")
    (inside / "note.txt").write_bytes(b"overwritten")
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(secret.parent)
    (folder / "note.txt").unlink()
    (folder / "note.txt").symlink_to(secret)
    assert commit(area, files) == [("refused", "note.txt", "symbolic link"), ("refused", "sub/secret", "symbolic link")]


def test_control_a_link_in_the_folder_itself(inside: Path, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (inside / "note.txt").write_bytes(b"overwritten")
    (folder / "note.txt").unlink()
    (folder / "note.txt").symlink_to(tmp_path / "victim")
    naive_commit(inside, folder)
    assert (tmp_path / "victim").read_bytes() == b"overwritten"


# What is no plain file.


def test_a_second_name_of_a_file_outside(
    area: StagingArea, files: FileSystemManager, inside: Path, secret: Path, folder: Path
) -> None:
    os.link(secret, inside / "gift")
    (inside / "note.txt").unlink()
    os.link(secret, inside / "note.txt")
    assert commit(area, files) == [("refused", "gift", "hard link"), ("refused", "note.txt", "hard link")]
    assert content(folder) == {"note.txt": b"original", "sub": None}


def test_control_a_second_name_of_a_file_outside(inside: Path, secret: Path, folder: Path) -> None:
    os.link(secret, inside / "gift")
    naive_commit(inside, folder)
    assert (folder / "gift").read_bytes() == CANARY


def test_pipes_sockets_and_devices(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(inside / "fifo")
    # The one device number everybody may make a node of; opening it would be an error of its own.
    os.mknod(inside / "device", stat.S_IFCHR | 0o600, os.makedev(0, 0))
    monkeypatch.chdir(inside)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        listening.listen()
        (inside / "note.txt").unlink()
        os.mkfifo(inside / "note.txt")
        assert commit(area, files) == [
            ("refused", "device", "special file"),
            ("refused", "fifo", "special file"),
            ("refused", "note.txt", "special file"),
            ("refused", "socket", "special file"),
        ]
    assert content(folder) == {"note.txt": b"original", "sub": None}


def test_control_a_pipe_is_read_when_nobody_looks(inside: Path) -> None:
    os.mkfifo(inside / "fifo")
    # Without this writer the reader would wait for ever.
    writer = os.open(inside / "fifo", os.O_RDWR)
    os.write(writer, b"from the pipe")
    with (inside / "fifo").open("rb", buffering=0) as stream:
        assert stream.read(100) == b"from the pipe"
    os.close(writer)


def test_a_setuid_program(area: StagingArea, files: FileSystemManager, inside: Path, folder: Path) -> None:
    for name, mode in (("setuid", 0o4755), ("setgid", 0o2755), ("plain", 0o777)):
        (inside / name).write_bytes(b"#!")
        (inside / name).chmod(mode)
    assert commit(area, files) == [
        ("created", "plain", None),
        ("refused", "setgid", "setuid or setgid bit"),
        ("refused", "setuid", "setuid or setgid bit"),
    ]
    # What came out is no program, and nobody else may write it.
    assert (folder / "plain").stat().st_mode & 0o7133 == 0


def test_control_a_setuid_program(inside: Path, folder: Path) -> None:
    (inside / "setuid").write_bytes(b"#!")
    (inside / "setuid").chmod(0o4755)
    naive_commit(inside, folder)
    assert (folder / "setuid").stat().st_mode & stat.S_ISUID


def test_a_lease_does_not_keep_the_server_waiting(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path
) -> None:
    (inside / "held").write_bytes(b"x")
    with holding_lease(inside / "held"):
        assert commit(area, files) == [("refused", "held", "busy")]
    assert not (folder / "held").exists()


def test_control_a_lease_keeps_everybody_waiting(inside: Path) -> None:
    (inside / "held").write_bytes(b"x")

    def waited(number: int, frame: object) -> None:
        raise TimeoutError

    previous = signal.signal(signal.SIGALRM, waited)
    try:
        with holding_lease(inside / "held"):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(TimeoutError):
                os.open(inside / "held", os.O_RDONLY)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def holding_lease(path: Path) -> Iterator[None]:
    # The kernel tells the holder by a signal that ends whoever does not expect it.
    previous = signal.signal(signal.SIGIO, signal.SIG_IGN)
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        yield
    finally:
        os.close(descriptor)
        signal.signal(signal.SIGIO, previous)


# Protected names.

PROTECTED = (
    ".git/hooks/post-commit",
    ".git/config",
    ".env",
    ".mcp.json",
    ".ENV",
    "deep/.git/hooks/x",
    ".vscode/tasks.json",
)


@pytest.mark.parametrize("name", PROTECTED)
def test_protected_names_created(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path, name: str
) -> None:
    (inside / name).parent.mkdir(parents=True, exist_ok=True)
    (inside / name).write_bytes(b"evil")
    assert commit(area, files)[-1] == ("refused", name, "protected name")
    assert not (folder / name).exists()


@pytest.mark.parametrize("name", PROTECTED)
def test_control_protected_names_created(inside: Path, folder: Path, name: str) -> None:
    (inside / name).parent.mkdir(parents=True, exist_ok=True)
    (inside / name).write_bytes(b"evil")
    naive_commit(inside, folder)
    assert (folder / name).read_bytes() == b"evil"


@pytest.mark.parametrize("name", PROTECTED)
def test_protected_names_are_read_and_neither_changed_nor_removed(
    base: Path, files: FileSystemManager, opener: PathOpener, folder: Path, name: str
) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"good")
    with StagingArea(base, opener=opener) as area:
        area.copy_in(files, may_read=yes)
        inside = Path(area.path)
        assert (inside / name).read_bytes() == b"good"
        (inside / name).write_bytes(b"evil")
        assert commit(area, files) == [("refused", name, "protected name")]
        (inside / name).unlink()
        assert commit(area, files) == [("refused", name, "protected name")]
        (inside / "evil").write_bytes(b"evil")
        (inside / "evil").rename(inside / name)
        assert commit(area, files) == [("refused", name, "protected name")]
    assert (folder / name).read_bytes() == b"good"


def test_a_directory_renamed_onto_a_protected_one(
    base: Path, files: FileSystemManager, opener: PathOpener, folder: Path
) -> None:
    (folder / ".git" / "hooks").mkdir(parents=True)
    (folder / ".git" / "config").write_bytes(b"good")
    (folder / ".git" / "HEAD").write_bytes(b"ref: main")
    with StagingArea(base, opener=opener) as area:
        area.copy_in(files, may_read=yes)
        inside = Path(area.path)
        (inside / "evil" / "hooks").mkdir(parents=True)
        (inside / "evil" / "hooks" / "post-commit").write_bytes(b"evil")
        (inside / "evil" / "config").write_bytes(b"evil")
        (inside / ".git").rename(inside / "old")
        (inside / "evil").rename(inside / ".git")
        refused = [path for kind, path, _ in commit(area, files) if kind == "refused"]
    assert refused == [".git/config", ".git/hooks/post-commit"]
    # What is not protected is as it was asked for: the file was moved, with permission for both ends.
    assert (folder / ".git" / "config").read_bytes() == b"good"
    assert os.listdir(folder / ".git" / "hooks") == []
    assert (folder / "old" / "HEAD").read_bytes() == b"ref: main"


def test_a_file_in_place_of_a_directory_that_leads_to_protected_names(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path
) -> None:
    (inside / ".git").write_bytes(b"gitdir: ../evil")
    assert commit(area, files) == [("refused", ".git", "protected name")]
    assert not (folder / ".git").exists()


# Kinds.


def test_a_directory_in_place_of_a_file_and_the_reverse(
    base: Path, files: FileSystemManager, opener: PathOpener, folder: Path
) -> None:
    (folder / "sub" / "inner").write_bytes(b"inner")
    before = content(folder)
    with StagingArea(base, opener=opener) as area:
        area.copy_in(files, may_read=yes)
        inside = Path(area.path)
        (inside / "note.txt").unlink()
        (inside / "note.txt").mkdir()
        (inside / "note.txt" / "file").write_bytes(b"x")
        shutil.rmtree(inside / "sub")
        (inside / "sub").write_bytes(b"x")
        assert {reason for _, _, reason in commit(area, files)} == {"a file and a directory of the same name"}
    assert content(folder) == before


# Too much.


def deepen(directory: Path, levels: int) -> None:
    current = os.open(directory, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", 0o700, dir_fd=current)
        following = os.open("d", os.O_RDONLY, dir_fd=current)
        os.close(current)
        current = following
    os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=current))
    os.close(current)


def test_five_thousand_directories_deep(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path, base: Path
) -> None:
    deepen(inside, 5_000)
    ledger = area.commit(files, yes, yes)
    assert brief(ledger)[-1] == ("refused", "/".join(["d"] * 64), "too deep")
    assert len(ledger) == 64
    assert area.discard()
    assert os.listdir(base) == []


def test_control_a_depth_that_no_path_reaches(inside: Path) -> None:
    deepen(inside, 2_100)
    with pytest.raises(OSError, match="name too long"):
        os.stat(inside.joinpath(*["d"] * 2_100))


def test_twenty_thousand_files(area: StagingArea, files: FileSystemManager, inside: Path, folder: Path) -> None:
    flood(inside, 20_000)
    (inside / "note.txt").unlink()
    ledger = area.commit(files, yes, yes)
    assert ledger.is_truncated
    assert {effect.reason for effect in ledger} == {"too many files"}
    wire = ledger.to_wire()
    assert (len(wire["effects"]), wire["truncated"], wire["refused"]) == (1_000, True, 10_002)
    assert content(folder) == {"note.txt": b"original", "sub": None}


def test_control_any_number_of_files(inside: Path, folder: Path) -> None:
    # A tenth is enough to see that nobody counts.
    flood(inside, 2_000)
    naive_commit(inside, folder)
    assert len(os.listdir(folder / "flood")) == 2_000


def flood(directory: Path, count: int) -> None:
    (directory / "flood").mkdir()
    descriptor = os.open(directory / "flood", os.O_RDONLY)
    for number in range(count):
        os.mknod(f"{number:05}", 0o600, dir_fd=descriptor)
    os.close(descriptor)


def test_a_huge_file_that_takes_no_room(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path
) -> None:
    for name, size in (("huge", 1 << 40), ("large", 100 * MEBIBYTES)):
        (inside / name).touch()
        os.truncate(inside / name, size)
    (inside / "small").write_bytes(b"small")
    assert commit(area, files) == [
        ("refused", "huge", "too large"),
        ("refused", "large", "too large"),
        ("created", "small", None),
    ]
    assert sorted(os.listdir(folder)) == ["note.txt", "small", "sub"]


def test_control_a_huge_file_that_takes_no_room(inside: Path) -> None:
    (inside / "huge").touch()
    os.truncate(inside / "huge", 1 << 40)
    # A quota of the disk, or of a tmpfs, does not notice it.
    assert (inside / "huge").stat().st_blocks * 512 < MEBIBYTES


def test_many_files_that_are_too_much_together(
    base: Path, files: FileSystemManager, opener: PathOpener, folder: Path
) -> None:
    with StagingArea(base, opener=opener, limits=StagingLimits(max_bytes=100)) as area:
        for name in "abcde":
            (Path(area.path) / name).write_bytes(b"x" * 30)
        found = commit(area, files)
    assert [reason for _, _, reason in found] == [None, None, None, "too large", "too large"]
    assert (folder / "c").exists()
    assert not (folder / "d").exists()


@pytest.mark.parametrize("files_only", [True, False])
def test_a_quota_that_is_used_up_in_the_middle(base: Path, opener: PathOpener, folder: Path, files_only: bool) -> None:
    quota = {"max_files": 4} if files_only else {"max_bytes": 8 + 60}
    manager = FileSystemManager(roots=[RootConfig(folder, **quota)], opener=opener)
    with StagingArea(base, opener=opener) as area:
        area.copy_in(manager, may_read=yes)
        inside = Path(area.path)
        for name in "abcd":
            (inside / name).write_bytes(name.encode() * 30)
        (inside / "note.txt").write_bytes(b"ORIGINAL")
        assert commit(area, manager) == [
            ("created", "a", None),
            ("created", "b", None),
            ("refused", "c", "quota used up"),
            ("refused", "d", "quota used up"),
            ("changed", "note.txt", None),
        ]
        # What did not come out is still there, and comes out when there is room.
        (folder / "a").unlink()
        manager = FileSystemManager(roots=[RootConfig(folder)], opener=opener)
        assert ("created", "c", None) in commit(area, manager)
    assert content(folder)["b"] == b"b" * 30
    assert content(folder)["note.txt"] == b"ORIGINAL"


# Names.


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe", b"new\nline", b"\x1b[2J", b"\xe2\x80\xaetxt.exe", b".mcp-server-" + b"0" * 32 + b".tmp", b"\x7f"],
)
def test_names_that_deceive(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path, name: bytes
) -> None:
    path = os.path.join(os.fsencode(inside), name)
    with open(path, "wb") as stream:
        stream.write(b"x")
    ledger = area.commit(files, yes, yes)
    assert [(effect.kind, effect.reason) for effect in ledger] == [("refused", "unusable name")]
    assert all(31 < ord(character) < 127 for character in ledger.to_wire()["effects"][0]["path"])
    assert content(folder) == {"note.txt": b"original", "sub": None}


def test_control_names_that_deceive(inside: Path, folder: Path) -> None:
    (inside / "a\nrefused: 0").write_bytes(b"x")
    naive_commit(inside, folder)
    assert "a\nrefused: 0" in os.listdir(folder)


# Forging.


def test_a_forged_modification_time(area: StagingArea, files: FileSystemManager, inside: Path, folder: Path) -> None:
    forge(inside / "note.txt")
    assert commit(area, files) == [("changed", "note.txt", None)]
    assert (folder / "note.txt").read_bytes() == b"forgery!"


def test_control_a_forged_modification_time(inside: Path) -> None:
    before = (inside / "note.txt").stat()
    forge(inside / "note.txt")
    after = (inside / "note.txt").stat()
    assert (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns)


def forge(path: Path) -> None:
    status = path.stat()
    path.write_bytes(b"forgery!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_write_that_leaves_no_time_behind(files: FileSystemManager, opener: PathOpener, folder: Path) -> None:
    # The state directory on a tmpfs, as in many containers.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as base, StagingArea(base, opener=opener) as area:
        area.copy_in(files, may_read=yes)
        path = Path(area.path) / "note.txt"
        before = SnapshotEntry.of(path.stat())
        with path.open("r+b") as stream, mmap.mmap(stream.fileno(), 8) as memory:
            # Reading maps the page, writable as it is; the write that follows tells nobody.
            assert memory[0:1] == b"o"
            memory[0:8] = b"forgery!"
        # The control: here nothing but the content shows it, not even the time that nobody can set.
        is_tmpfs = MountTable().type_of(area.fileno()) == "tmpfs"
        assert SnapshotEntry.of(path.stat()).looks_like(before) == is_tmpfs
        assert commit(area, files) == [("changed", "note.txt", None)]
    assert (folder / "note.txt").read_bytes() == b"forgery!"


# Others who work in the folder.


def test_a_change_in_the_folder_is_not_overwritten(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path
) -> None:
    (inside / "note.txt").write_bytes(b"by code!")
    (inside / "new").write_bytes(b"by code!")
    # As cunning as it gets: the same size, the same times.
    status = (folder / "note.txt").stat()
    (folder / "note.txt").write_bytes(b"by hand!")
    os.utime(folder / "note.txt", ns=(status.st_atime_ns, status.st_mtime_ns))
    (folder / "new").write_bytes(b"by hand!")
    assert commit(area, files) == [("refused", "new", "exists already"), ("refused", "note.txt", "changed meanwhile")]
    assert content(folder) == {"new": b"by hand!", "note.txt": b"by hand!", "sub": None}


def test_control_a_change_in_the_folder_is_overwritten(inside: Path, folder: Path) -> None:
    (inside / "note.txt").write_bytes(b"by code!")
    (folder / "note.txt").write_bytes(b"by hand!")
    naive_commit(inside, folder)
    assert (folder / "note.txt").read_bytes() == b"by code!"


def test_a_deletion_of_what_has_changed_in_the_folder(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path
) -> None:
    (inside / "note.txt").unlink()
    (inside / "sub").rmdir()
    (folder / "note.txt").write_bytes(b"by hand!")
    (folder / "sub" / "new").write_bytes(b"by hand!")
    assert commit(area, files) == [("refused", "note.txt", "changed meanwhile"), ("refused", "sub", "not empty")]
    assert content(folder) == {"note.txt": b"by hand!", "sub": None, "sub/new": b"by hand!"}


def test_content_that_was_moved_where_it_is_refused_is_not_lost(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path
) -> None:
    (inside / "note.txt").rename(inside / ".env")
    found = commit(area, files)
    assert found == [("refused", ".env", "protected name"), ("refused", "note.txt", "its content has no other place")]
    (inside / ".env").rename(inside / "moved")
    assert commit(area, files) == [("created", "moved", None), ("deleted", "note.txt", None)]
    assert content(folder) == {"moved": b"original", "sub": None}


# What is left behind.


def test_discarding_touches_nothing_outside(
    area: StagingArea, inside: Path, secret: Path, folder: Path, base: Path
) -> None:
    (inside / "link").symlink_to(secret.parent)
    (inside / "sub" / "link").symlink_to("/")
    os.link(secret, inside / "hard")
    os.mkfifo(inside / "fifo")
    (inside / "closed" / "inner" / "inner").mkdir(parents=True)
    (inside / "closed" / "inner" / "inner" / "file").touch()
    (inside / "closed" / "inner").chmod(0)
    (inside / "closed").chmod(0)
    inside.chmod(0)
    assert area.discard()
    assert os.listdir(base) == []
    assert content(folder) == {"note.txt": b"original", "sub": None}


def test_code_that_closes_its_directory_is_still_looked_at(
    area: StagingArea, files: FileSystemManager, inside: Path
) -> None:
    (inside / "a").write_bytes(b"a")
    (inside / "b").write_bytes(b"b")
    (inside / "b").chmod(0)
    (inside / "c" / "d").mkdir(parents=True)
    (inside / "c").chmod(0)
    inside.chmod(0)
    assert commit(area, files) == [
        ("created", "a", None),
        ("refused", "b", "not readable"),
        ("refused", "c", "not readable"),
    ]


def test_a_process_of_another_account_works_in_the_directory(
    base: Path, files: FileSystemManager, opener: PathOpener, folder: Path
) -> None:
    # As an administrator a real one; otherwise the only account there is.
    is_root = os.geteuid() == 0
    account = (65534, 65534) if is_root else (os.geteuid(), os.getegid())
    switch: dict[str, Any] = {"user": account[0], "group": account[1], "extra_groups": []} if is_root else {}
    with StagingArea(base, opener=opener, owner=account) as area:
        area.copy_in(files, may_read=yes)
        subprocess.run(
            ["/bin/sh", "-c", GUEST, "guest", str(area.fileno())],
            check=True,
            cwd="/",
            pass_fds=[area.fileno()],
            **switch,
        )
        assert {path.stat().st_uid for path in Path(area.path).rglob("*")} == {account[0]}
        assert commit(area, files) == [
            ("created", "made", None),
            ("created", "made/file", None),
            ("changed", "note.txt", None),
        ]
    assert (folder / "note.txt").read_bytes() == b"by the guest"
    # What came out belongs to the folder's owner and not to the sandbox's account.
    assert {path.stat().st_uid for path in folder.rglob("*")} == {os.geteuid()}
    assert os.listdir(base) == []


def test_errors_say_nothing_of_the_host(
    area: StagingArea, files: FileSystemManager, inside: Path, folder: Path
) -> None:
    (inside / "link").symlink_to("/etc/shadow")
    (inside / ".env").touch()
    os.mkfifo(inside / "fifo")
    text = str(area.commit(files, yes, yes).to_wire())
    assert str(folder) not in text
    assert str(inside) not in text
    assert "shadow" not in text
