"""What Landlock and the filter keep a broker from, whose own code is wrong or was taken over; and without them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.broker.broker_factory import BrokerFactory
from mcp_server.resources.broker.brokered_files import BrokeredFiles
from mcp_server.resources.broker.confinement import LEAST_ABI
from mcp_server.resources.filesystem.client_files import ClientFiles
from mcp_server.resources.filesystem.file_location import FileLocation
from mcp_server.resources.filesystem.pinned_file import PinnedFile
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.resources.kernel.landlock import Landlock
from tests.security.broker.captured_broker import NAMES, CarelessOpener
from tests.security.broker.conftest import CANARY

Make = Callable[..., BrokeredFiles]

# Where there is no Landlock there is no broker, and nothing to attack.
HERE = [()] if BrokerFactory.problem() is None else []
CONFINED = pytest.mark.parametrize((), HERE)
# Each barrier alone, on every kernel that has it.
OF_LANDLOCK = {
    *("read a file outside", "read the accounts", "read the interpreter", "read of the kernel"),
    *("read the server's environment", "list a directory outside", "make a file outside"),
    *("make a directory outside", "remove a file outside", "move a file out", "give a file outside a name inside"),
    "give a handle of one outside a name inside",
}
OF_THE_FILTER = {
    *("change a mode outside", "change a time outside", "empty a file outside", "empty a file outside by opening it"),
    *("make a link", "make a pipe", "make a set-user-id file", "fork", "execute", "execute a descriptor"),
    *(
        "make a socket of TCP",
        "connect over TCP",
        "make a socket of the machine",
        "make a pair of sockets",
        "signal the server",
        "trace",
    ),
    *("read another memory", "make memory executable", "make a file of memory", "let another descriptor signal"),
}
WAYS_OUT = {
    "absolute": lambda outside: (f"{outside}/canary",),
    "upwards": lambda outside: ("..", "outside", "canary"),
    "far upwards": lambda outside: ("..",) * 30 + tuple(f"{outside}/canary".strip("/").split("/")),
    "by a link to the file": lambda outside: ("link",),
    "by a link to its directory": lambda outside: ("door", "canary"),
}


def program(function: str, *arguments: object) -> str:
    words = ", ".join(map(repr, map(str, arguments)))
    return f"from tests.security.broker.captured_broker import {function}; {function}({words})"


@pytest.fixture
def doors(folder: Path, outside: Path) -> None:
    (folder / "link").symlink_to(outside / "canary")
    (folder / "door").symlink_to(outside)


def forged(files: ClientFiles, *parts: str) -> FileLocation:
    """Return what a parser without a single check would return."""
    return FileLocation(files.roots[0], parts)


@CONFINED
@pytest.mark.usefixtures("doors")
@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_bug_in_our_path_code_does_not_lead_out(way: str, make: Make, outside: Path) -> None:
    files = make(program("careless"))
    location = forged(files, *WAYS_OUT[way](outside))
    with pytest.raises(ResourceUnavailableError) as caught:
        files.read(location)
    assert caught.value.reason == "io"
    # The bug is there: what lies inside is still read by it.
    assert files.read(forged(files, "sub", "..", "note.txt")).data == b"inside"


@CONFINED
@pytest.mark.usefixtures("doors")
@pytest.mark.parametrize("way", WAYS_OUT)
def test_control_the_same_bug_leads_out_without_landlock(way: str, make: Make, outside: Path) -> None:
    files = make(program("careless", "landlock"))
    assert files.read(forged(files, *WAYS_OUT[way](outside))).data == CANARY


@pytest.mark.usefixtures("doors")
@pytest.mark.parametrize("way", WAYS_OUT)
def test_control_the_same_bug_leads_out_in_this_process(way: str, folder: Path, outside: Path) -> None:
    files = FileSystemManager(roots=[RootConfig(folder)], opener=CarelessOpener())
    assert files.read(forged(files, *WAYS_OUT[way](outside))).data == CANARY


def changes(files: ClientFiles, outside: Path) -> dict[str, Callable[[], object]]:
    return {
        "write": lambda: files.write(forged(files, "door", "new"), b"x"),
        "replace": lambda: files.write(forged(files, "door", "canary"), b"x"),
        "make": lambda: files.make_directory(forged(files, "door", "made")),
        "move out": lambda: files.move(forged(files, "spare"), forged(files, "door", "moved")),
        "move in": lambda: files.move(forged(files, "door", "spare"), forged(files, "taken")),
        "delete": lambda: files.delete(forged(files, "door", "spare")),
        "delete all": lambda: files.delete(forged(files, "door"), recursive=True),
        "list": lambda: files.list_directory(forged(files, "door")),
        "walk": lambda: list(files.walk(forged(files, "door"))),
    }


CHANGES = tuple(changes(FileSystemManager(roots=[]), Path()))


@CONFINED
@pytest.mark.usefixtures("doors")
@pytest.mark.parametrize("change", CHANGES)
def test_a_bug_in_our_path_code_changes_nothing_outside(change: str, make: Make, outside: Path) -> None:
    files = make(program("careless"))
    before = {path.name: path.read_bytes() for path in outside.iterdir()}
    if change == "delete all":
        # A link goes as a link, whatever opens it.
        changes(files, outside)[change]()
    else:
        with pytest.raises(MCPServerError):
            changes(files, outside)[change]()
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == before


@CONFINED
@pytest.mark.usefixtures("doors")
@pytest.mark.parametrize("change", [change for change in CHANGES if change != "delete all"])
def test_control_without_landlock_it_does(change: str, make: Make, outside: Path) -> None:
    files = make(program("careless", "landlock"))
    changes(files, outside)[change]()
    if change in ("list", "walk"):
        return
    left = sorted(path.name for path in outside.iterdir())
    assert left != ["canary", "long", "spare"] or (outside / "canary").read_bytes() == b"x"


@CONFINED
def test_a_folder_that_is_only_read_is_not_written_by_a_bug_either(make: Make, folder: Path) -> None:
    read_only = RootConfig(folder, writable=False)
    files = make(program("careless"), read_only)
    for change in (
        lambda: files.write(files.locate("note.txt"), b"x"),
        lambda: files.write(files.locate("new"), b"x"),
        lambda: files.make_directory(files.locate("made")),
        lambda: files.delete(files.locate("spare")),
        lambda: files.move(files.locate("spare"), files.locate("moved")),
    ):
        with pytest.raises(ResourceUnavailableError) as caught:
            change()
        assert caught.value.reason == "io"
    assert sorted(os.listdir(folder)) == ["note.txt", "spare", "sub"]
    assert files.read(files.locate("note.txt")).data == b"inside"
    # Control: the folder's own rule was taken out, and without Landlock nothing is left of it.
    make(program("careless", "landlock"), read_only).write(files.locate("note.txt"), b"x")
    assert (folder / "note.txt").read_bytes() == b"x"


@CONFINED
def test_a_writable_folder_beside_a_read_only_one_gives_it_nothing(make: Make, folder: Path, outside: Path) -> None:
    files = make(program("careless"), RootConfig(folder), RootConfig(outside, writable=False))
    with pytest.raises(ResourceUnavailableError):
        files.write(files.locate(str(outside / "canary")), b"x")
    files.write(files.locate("note.txt"), b"x")
    assert files.read(files.locate(str(outside / "canary"))).data == CANARY


def outcome(files: BrokeredFiles, attack: str) -> str:
    with pytest.raises(SandboxViolationError) as caught:
        files.stat(files.locate(attack))
    return str(caught.value)


@CONFINED
def test_whoever_takes_a_broker_over_reaches_nothing(make: Make, folder: Path, outside: Path) -> None:
    files = make(program("captured", outside, folder))
    assert {attack: outcome(files, attack) for attack in NAMES} == dict.fromkeys(NAMES, "refused")
    assert sorted(os.listdir(outside)) == ["canary", "long", "spare"]
    assert (outside / "long").read_bytes() == b"long"
    assert sorted(os.listdir(folder)) == ["note.txt", "spare", "sub"]


@CONFINED
def test_control_without_barriers_all_of_it_is_reached(make: Make, folder: Path, outside: Path) -> None:
    files = make(program("captured", outside, folder, "landlock", "filter"))
    assert {attack: outcome(files, attack) for attack in NAMES} == dict.fromkeys(NAMES, "reached")


@CONFINED
def test_landlock_alone_keeps_files_and_the_filter_alone_calls(make: Make, folder: Path, outside: Path) -> None:
    landlock = make(program("captured", outside, folder, "filter"))
    filtered = make(program("captured", outside, folder, "landlock"))
    assert set(NAMES) == OF_LANDLOCK | OF_THE_FILTER
    assert {outcome(landlock, attack) for attack in sorted(OF_LANDLOCK)} == {"refused"}
    assert {outcome(filtered, attack) for attack in sorted(OF_THE_FILTER)} == {"refused"}


@pytest.mark.parametrize("abi", [abi for abi in range(LEAST_ABI, 7) if Landlock().abi >= abi])
def test_all_of_it_holds_on_older_kernels_too(abi: int, make: Make, folder: Path, outside: Path) -> None:
    files = make(program("older", abi, outside, folder))
    assert {attack: outcome(files, attack) for attack in NAMES} == dict.fromkeys(NAMES, "refused")
    # And what is meant to be done can be done.
    files.write(files.locate("sub/new"), b"x")
    files.move(files.locate("sub/new"), files.locate("moved"))
    files.delete(files.locate("moved"))
    assert files.read(files.locate("note.txt")).data == b"inside"


@pytest.mark.parametrize(
    "attack", [name for name, abi in (("connect over TCP", 4), ("signal the server", 6)) if Landlock().abi >= abi]
)
def test_newer_kernels_refuse_these_twice(attack: str, make: Make, folder: Path, outside: Path) -> None:
    assert outcome(make(program("captured", outside, folder, "filter")), attack) == "refused"
    assert outcome(make(program("captured", outside, folder, "landlock", "filter")), attack) == "reached"


@CONFINED
@pytest.mark.usefixtures("doors")
def test_what_nothing_keeps_a_bug_from_is_asking_how_large_a_file_is(make: Make, outside: Path) -> None:
    # Landlock does not control this; it is said in the documentation, and here, so that nobody relies on more.
    files = make(program("careless"))
    assert files.stat(forged(files, "..", "outside", "canary")).size == len(CANARY)


@CONFINED
def test_a_handle_of_a_file_outside_is_not_taken(make: Make, outside: Path) -> None:
    ends: list[str] = []
    files = make(program("handing_over", outside / "canary"), on_end=ends.append)
    with pytest.raises(ResourceUnavailableError):
        files.pin(files.locate("note.txt"))
    assert ends == ["garbled"]


def test_control_whoever_takes_a_handle_reads_the_file_with_his_own_rights(outside: Path, folder: Path) -> None:
    files = FileSystemManager(roots=[RootConfig(folder)])
    handle = os.open(outside / "canary", os.O_PATH)
    with PinnedFile(files.locate("note.txt"), handle, os.fstat(handle)) as pinned:
        assert files.read(pinned).data == CANARY


@CONFINED
def test_nobody_looks_into_a_broker_and_it_has_nothing_of_the_servers(
    make: Make, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("MCP_SERVER_CANARY", "canary-of-the-environment")
    kept = os.open("/etc/passwd", os.O_RDONLY)
    os.set_inheritable(kept, True)
    files = make()
    files.stat(files.locate("."))
    pid = files.broker_pid
    os.close(kept)
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines())
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")
    # What nobody of the same account may trace belongs to root, in the eyes of the kernel.
    assert os.stat(f"/proc/{pid}/environ").st_uid == 0
    assert os.getsid(int(pid or 0)) == pid
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    assert os.fsencode(folder) not in command
    if os.geteuid() == 0:
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""
        targets = {os.readlink(each) for each in Path(f"/proc/{pid}/fd").iterdir()}
        assert {each for each in targets if not each.startswith(("socket:", "anon_inode:[pidfd]"))} == {
            "/dev/null",
            str(folder),
        }
