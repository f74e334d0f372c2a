"""Hostile archives behind the whole chain: nothing leaves the destination, and nothing fills the machine.

Where an attack works on who believes the archive, that is shown as well, in a directory of its own.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_formats import reader_of
from mcp_server.resources.archives.archive_limits import MEBIBYTES, ArchiveLimits
from mcp_server.resources.archives.archive_plan import ArchivePlan
from mcp_server.testing import client_for
from mcp_server.tools.modules.archive_module import ArchiveModule
from tests.support.archives import (
    ZipMember,
    believe_tar,
    believe_zip,
    bomb_tar_gz,
    pax,
    tar_end,
    tar_header,
    tar_member,
    zip_of,
)

GOOD = "good.txt"
Result = Mapping[str, Any]


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A directory with the client's folder in it, and a secret beside that."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "secret").write_text("swordfish")
    return tmp_path


def extract(world: Path, name: str, data: bytes, *, limits: ArchiveLimits | None = None) -> Result:
    """Extract through a client that may do everything in its folder, and return the whole result."""
    (world / "folder" / name).write_bytes(data)
    found: list[Result] = []

    async def main() -> None:
        async with client_for(
            ArchiveModule(limits=limits), folder=world / "folder", allow=["FILE_READ **", "FILE_WRITE **"]
        ) as client:
            found.append(await client.result("extract_archive", path=name, destination="out"))

    asyncio.run(main())
    return found[0]


def reasons(result: Result) -> dict[str, str]:
    effects = result["structuredContent"]["effects"]["effects"]
    return {each["path"]: each["reason"] for each in effects if each["kind"] == "refused"}


def state(directory: Path) -> dict[str, tuple[str, bytes]]:
    """Return all that is in a directory, links as links."""
    found: dict[str, tuple[str, bytes]] = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        links = f" {status.st_nlink}" if path.is_file() else ""
        found[str(path.relative_to(directory))] = (stat.filemode(status.st_mode) + links, content)
    return found


def tar_attack(*members: bytes) -> bytes:
    return b"".join((*members, tar_member(GOOD, b"good"), tar_end()))


def believed(world: Path, data: bytes, believe: Callable[[bytes, Path], None] = believe_tar) -> dict[str, Any]:
    """Return the state of the world after somebody has believed the archive."""
    (world / "naive" / "out").mkdir(parents=True)
    before = state(world)
    believe(data, world / "naive" / "out")
    after = state(world)
    return {name: after[name] for name in after if before.get(name) != after[name]}


# Each with its reason, and with a name that appears, or changes, where it is believed.
TAR_ATTACKS: dict[str, tuple[Callable[[Path], bytes], str, str]] = {
    "upwards": (lambda world: tar_attack(tar_member("../evil", b"x")), "a name that leads upwards", "naive/evil"),
    "in the middle": (
        lambda world: tar_attack(tar_member("./../evil", b"x")),
        "a name that leads upwards",
        "naive/evil",
    ),
    "absolute": (lambda world: tar_attack(tar_member(f"{world}/evil", b"x")), "absolute name", "evil"),
    "symlink": (
        lambda world: tar_attack(tar_member("l", type=tarfile.SYMTYPE, linkname=f"{world}/secret")),
        "symbolic link",
        "naive/out/l",
    ),
    "through a symlink": (
        lambda world: tar_attack(tar_member("l", type=tarfile.SYMTYPE, linkname=".."), tar_member("l/evil", b"x")),
        "symbolic link",
        "naive/evil",
    ),
    "hard link": (
        lambda world: tar_attack(tar_member("l", type=tarfile.LNKTYPE, linkname="../../secret")),
        "hard link",
        "naive/out/l",
    ),
    "through a hard link": (
        lambda world: tar_attack(
            tar_member("l", type=tarfile.LNKTYPE, linkname="../../secret"), tar_member("l", b"overwritten")
        ),
        "its name occurs twice",
        "secret",
    ),
    "setuid": (
        lambda world: tar_attack(tar_member("l", b"#!/bin/sh\n", mode=0o4755)),
        "setuid or setgid bit",
        "naive/out/l",
    ),
    "fifo": (lambda world: tar_attack(tar_member("l", type=tarfile.FIFOTYPE)), "special file", "naive/out/l"),
    "a pax header that renames": (
        lambda world: tar_attack(pax({"path": "../evil"}), tar_member("harmless", b"x")),
        "a name that leads upwards",
        "naive/evil",
    ),
    "a pax header that renames to a plain name": (
        lambda world: tar_attack(pax({"path": "other"}), tar_member("harmless", b"x")),
        "a second, other name",
        "naive/out/other",
    ),
    "a long name of GNU that renames": (
        lambda world: tar_attack(
            tar_member("././@LongLink", b"../evil\0", type=tarfile.GNUTYPE_LONGNAME), tar_member("harmless", b"x")
        ),
        "a name that leads upwards",
        "naive/evil",
    ),
    "twice": (
        lambda world: tar_attack(tar_member("l", b"looked at"), tar_member("l", b"what counts")),
        "its name occurs twice",
        "naive/out/l",
    ),
    "a terminal's escape": (
        lambda world: tar_attack(tar_member("l\x1b[2J", b"x")),
        "a name with characters that do not show",
        "naive/out/l\x1b[2J",
    ),
    "a newline": (
        lambda world: tar_attack(tar_member("l\n[FILE] fake", b"x")),
        "a name with characters that do not show",
        "naive/out/l\n[FILE] fake",
    ),
    "no UTF-8": (
        lambda world: tar_attack(tar_member(b"l\xff", b"x")),
        "a name that is not UTF-8",
        "naive/out/l\udcff",
    ),
}


@pytest.mark.parametrize("name", TAR_ATTACKS)
def test_a_hostile_member_of_a_tar_archive_is_left_out(world: Path, name: str) -> None:
    make, reason, _ = TAR_ATTACKS[name]
    before = state(world)
    result = extract(world, "a.tar", make(world))
    assert not result.get("isError")
    assert reason in reasons(result).values()
    after = state(world)
    assert {path for path in after if before.get(path) != after[path]} == {
        "folder/a.tar",
        "folder/out",
        f"folder/out/{GOOD}",
    }
    assert after[f"folder/out/{GOOD}"][1] == b"good"


@pytest.mark.parametrize("name", TAR_ATTACKS)
def test_believed_it_does_what_it_wants(world: Path, name: str) -> None:
    make, _, consequence = TAR_ATTACKS[name]
    assert consequence in believed(world, make(world))


def test_devices_are_left_out(world: Path) -> None:
    data = tar_attack(*(tar_member(f"l{kind}", type=b"%d" % kind, devmajor=1, devminor=3) for kind in (3, 4)))
    assert set(reasons(extract(world, "a.tar", data)).values()) == {"special file"}
    assert set(state(world / "folder" / "out")) == {GOOD}


@pytest.mark.parametrize(
    "names",
    [("a", "A"), ("dir/a", "DIR/b"), ("\xe9", "e\u0301"), ("a", "a/b"), ("x/a", "x")],
)
def test_what_collides_on_some_file_system_is_left_out(world: Path, names: tuple[str, str]) -> None:
    data = tar_attack(*(tar_member(name, b"x") for name in names))
    result = extract(world, "a.tar", data)
    assert len(reasons(result)) == 2
    assert set(state(world / "folder" / "out")) == {GOOD}


def test_where_a_member_ends_is_never_guessed(world: Path) -> None:
    # One reader skips what another reads as a member: `hidden` for who believes the header, its content for who
    # believes the attributes.
    inner = tar_member("hidden", b"x")
    data = tar_attack(pax({"size": str(len(inner))}), tar_header("carrier", size=0), inner)
    result = extract(world, "a.tar", tar_member("first", b"1") + data)
    assert "written twice" in result["structuredContent"]["stopped"]
    assert not (world / "folder" / "out").exists()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert "hidden" not in archive.getnames()


LINK = 0o120777 << 16
ZIP_ATTACKS: dict[str, tuple[Callable[[Path], list[ZipMember]], str, str | None]] = {
    "upwards": (lambda world: [ZipMember(b"../evil", b"x")], "a name that leads upwards", "naive/evil"),
    "absolute": (lambda world: [ZipMember(f"{world}/evil".encode(), b"x")], "absolute name", "evil"),
    "backslashes": (lambda world: [ZipMember(b"..\\..\\evil", b"x")], "a name that leads upwards", None),
    "a backslash": (lambda world: [ZipMember(b"a\\b", b"x")], "a name with a backslash", None),
    "a drive": (lambda world: [ZipMember(b"C:/evil", b"x")], "a name with a drive letter", "naive/out/C:/evil"),
    "a symlink": (
        lambda world: [ZipMember(b"l", b"../../secret", attributes=LINK)],
        "symbolic link",
        "naive/out/l",
    ),
    "through a symlink": (
        lambda world: [ZipMember(b"l", b"..", attributes=LINK), ZipMember(b"l/evil", b"x")],
        "symbolic link",
        "naive/evil",
    ),
    "setuid": (lambda world: [ZipMember(b"l", b"x", attributes=0o104755 << 16)], "setuid or setgid bit", None),
    "twice": (lambda world: [ZipMember(b"l", b"1"), ZipMember(b"l", b"2")], "its name occurs twice", "naive/out/l"),
    "another name of its own": (
        lambda world: [ZipMember(b"l", b"x", local={"name": b"k"})],
        "its header contradicts the directory of the archive",
        None,
    ),
    "encrypted": (lambda world: [ZipMember(b"l", b"x" * 12, flags=1)], "encrypted", None),
    "damaged": (lambda world: [ZipMember(b"l", b"x", crc=1)], "damaged", None),
}


@pytest.mark.parametrize("name", ZIP_ATTACKS)
def test_a_hostile_member_of_a_zip_archive_is_left_out(world: Path, name: str) -> None:
    make, reason, _ = ZIP_ATTACKS[name]
    before = state(world)
    result = extract(world, "a.zip", zip_of(*make(world), ZipMember(GOOD.encode(), b"good")))
    assert reason in reasons(result).values()
    after = state(world)
    assert {path for path in after if before.get(path) != after[path]} == {
        "folder/a.zip",
        "folder/out",
        f"folder/out/{GOOD}",
    }


@pytest.mark.parametrize("name", [name for name, (_, _, consequence) in ZIP_ATTACKS.items() if consequence])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_believed_zip_archive_does_what_it_wants(world: Path, name: str) -> None:
    make, _, consequence = ZIP_ATTACKS[name]
    assert consequence in believed(world, zip_of(*make(world)), believe_zip)


def test_overlapping_members_are_left_out(world: Path) -> None:
    # Each name costs only its entry in the directory, and all have one content: a bomb without recursion.
    kernel = ZipMember(b"a", b"\0" * 100_000, method=8)
    members = [kernel, *(ZipMember(b"a", b"\0" * 100_000, method=8, packed=b"", offset=0) for _ in range(50))]
    data = zip_of(*members)
    result = extract(world, "a.zip", data)
    assert "created" not in {each["kind"] for each in result["structuredContent"]["effects"]["effects"]}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sum(info.file_size for info in archive.infolist()) > 50 * len(data)


BOMBS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "gzip": lambda: ("a.tar.gz", bomb_tar_gz(300_000_000)),
    "gzip twice": lambda: ("a.tar.gz", gzip.compress(bomb_tar_gz(20_000_000), mtime=0)),
    "zip": lambda: ("a.zip", zip_of(ZipMember(b"zeros", bytes(15_000_000), method=8))),
    "zip that lies": lambda: ("a.zip", zip_of(ZipMember(b"zeros", bytes(15_000_000), method=8, size=10))),
    "many names": lambda: ("a.tar.gz", gzip.compress(tar_member("a") * 20_000, mtime=0)),
    "long attributes": lambda: ("a.tar.gz", gzip.compress(tar_header("x", type=b"x", size=2**33 - 1), mtime=0)),
    "deep names": lambda: ("a.tar", tar_member("/".join("a" * 40)) + tar_end()),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_stopped_at_its_bound_and_memory_stays_flat(world: Path, name: str) -> None:
    file, data = BOMBS[name]()
    tracemalloc.start()
    try:
        result = extract(world, file, data)
        # The server that is started for it takes a part; what is unpacked would take hundreds.
        assert tracemalloc.get_traced_memory()[1] < 40 * MEBIBYTES
    finally:
        tracemalloc.stop()
    assert not (world / "folder" / "out").exists()
    assert result.get("isError") or reasons(result)


@pytest.mark.parametrize(
    ("bound", "data"),
    [
        ({"max_total_bytes": 10_000}, lambda: tar_member("a", os.urandom(6_000)) + tar_member("b", os.urandom(6_000))),
        ({"max_members": 5}, lambda: b"".join(tar_member(f"{number}") for number in range(6))),
        ({"max_seconds": -1.0}, lambda: tar_member("a")),
    ],
)
def test_every_bound_is_one_of_the_whole_archive(world: Path, bound: dict[str, Any], data: Callable[[], bytes]) -> None:
    content = data() + tar_end()
    result = extract(world, "a.tar", content, limits=ArchiveLimits(**bound))
    assert result.get("isError") or result["structuredContent"]["stopped"]
    assert not (world / "folder" / "out").exists()
    assert not extract(world, "a.tar", content).get("isError")
    assert (world / "folder" / "out").exists()


def test_an_archive_of_archives_is_not_opened_further(world: Path) -> None:
    inner = zip_of(ZipMember(b"../evil", b"x"))
    extract(world, "a.zip", zip_of(ZipMember(b"inner.zip", inner)))
    assert state(world / "folder" / "out") == {"inner.zip": ("-rw-r--r-- 1", inner)}


def test_a_destination_behind_a_link_is_refused(world: Path) -> None:
    (world / "elsewhere").mkdir()
    (world / "folder" / "out").symlink_to(world / "elsewhere")
    result = extract(world, "a.tar", tar_attack())
    assert result.get("isError") or reasons(result)
    assert list((world / "elsewhere").iterdir()) == []


def test_a_directory_that_becomes_a_link_meanwhile_is_not_followed(world: Path) -> None:
    (world / "folder" / "out").mkdir()
    (world / "folder" / "out" / "d").symlink_to(world)
    result = extract(world, "a.tar", tar_attack(tar_member("d/evil", b"x")))
    assert set(reasons(result)) >= {"out/d/evil"}
    assert not (world / "evil").exists()


def test_both_passes_see_the_same() -> None:
    data = tar_attack(*(attack[0](Path("/w")) for attack in TAR_ATTACKS.values()))
    reader = reader_of("a.tar", io.BytesIO(data))
    plans = [ArchivePlan.of(reader, ArchiveBudget(ArchiveLimits())) for _ in range(2)]
    assert plans[0] == plans[1]
