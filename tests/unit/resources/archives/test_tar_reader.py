"""Tar archives: what is read as by everybody, and what is refused because it is not."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_limits import ArchiveLimits
from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.tar_reader import TarReader
from tests.support.archives import pax, pax_record, tar_end, tar_header, tar_member

PACKERS = {None: bytes, "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def read(data: bytes, compression: str | None = None, **limits: Any) -> list[tuple[ArchiveMember, bytes | None]]:
    budget = ArchiveBudget(ArchiveLimits(**limits))
    return list(TarReader(io.BytesIO(data), compression).members(budget, range(100_000)))


def refusals(data: bytes, **limits: Any) -> dict[str, str | None]:
    return {member.name: None if member.refusal is None else str(member.refusal) for member, _ in read(data, **limits)}


def archive_of(files: dict[str, bytes], form: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            if name.endswith("/"):
                entry.type = tarfile.DIRTYPE
            archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


LONG = "/".join(["long"] * 30)
FILES = {"a.txt": b"hello", "d/": b"", "d/b.bin": bytes(range(256)) * 5, "empty": b"", "./e/f": b"x" * 512}


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_the_standard_library_writes_is_read(form: int, compression: str | None) -> None:
    files = FILES | {LONG: b"deep"}
    if form != tarfile.USTAR_FORMAT:
        files |= {"ü" * 80: b"umlauts", f"{LONG}/d/": b"", "x" * 240: b"", f"é/{LONG}": b"accent"}
    found = read(PACKERS[compression](archive_of(files, form)), compression)
    assert [member.refusal for member, _ in found] == [None] * len(files)
    assert {m.name.rstrip("/"): data for m, data in found if not m.is_directory} == {
        name: data for name, data in files.items() if not name.endswith("/")
    }
    assert {m.name.rstrip("/") for m, _ in found if m.is_directory} == {n[:-1] for n in files if n.endswith("/")}


@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "pax"])
def test_what_the_program_tar_writes_is_read(tmp_path: Path, form: str) -> None:
    (tmp_path / "d").mkdir()
    names = ["d/a.txt", "d/b"]
    if form != "v7":
        names.append("d/" + "y" * 95)
    if form in ("oldgnu", "gnu", "pax"):
        names += ["d/" + "z" * 200, "d/ü" + "z" * 200]
    for name in names:
        (tmp_path / name).write_text(name)
    done = subprocess.run(
        ["tar", f"--format={form}", "-cf", "-", "d"], cwd=tmp_path, capture_output=True, check=True, timeout=60
    )
    found = read(done.stdout)
    assert {str(member.refusal) for member, _ in found} == {"None"}
    assert {member.name: data for member, data in found if data is not None} == {name: name.encode() for name in names}


def test_what_git_writes_is_read(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "a.txt").write_text("hello")
    for command in (["init", "-q"], ["add", "a.txt"], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True, timeout=60)
    done = subprocess.run([*git, "archive", "HEAD"], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert [(member.name, data) for member, data in read(done.stdout)] == [("a.txt", b"hello")]


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_streams_one_behind_the_other_are_one(compression: str) -> None:
    data = archive_of(FILES, tarfile.PAX_FORMAT)
    parts = [PACKERS[compression](data[at : at + 700]) for at in range(0, len(data), 700)]
    assert [member.name for member, _ in read(b"".join(parts), compression)] == list(FILES)


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (tar_member("l", type=b"2", linkname="a"), "symbolic link"),
        (tar_member("l", type=b"1", linkname="a"), "hard link"),
        (tar_member("l", type=b"3"), "special file"),
        (tar_member("l", type=b"4"), "special file"),
        (tar_member("l", type=b"6"), "special file"),
        (tar_member("l", b"data", type=b"7"), "unknown kind of member"),
        (tar_member("l", b"data", type=b"V"), "unknown kind of member"),
        (tar_member("l", b"data", mode=0o4755), "setuid or setgid bit"),
        (tar_member("l", type=b"5", mode=0o2755), "setuid or setgid bit"),
        (pax({"GNU.sparse.major": "1", "GNU.sparse.name": "evil"}) + tar_member("l", b"data"), "sparse file"),
        (pax({"path": "evil"}) + tar_member("l", b"data"), None),
        (pax({"hdrcharset": "BINARY"}) + tar_member("l", b"data"), "a name that is not UTF-8"),
        (tar_member("l", b"data", magic=b"ustar  \0", prefix=b"evil"), "a second, other name"),
        (tar_member("l", b"data", magic=b"", prefix=b"evil"), "a second, other name"),
        (tar_member("l", b"x" * 2000), "too large"),
    ],
)
def test_what_is_no_plain_file_is_refused_and_what_follows_is_read(member: bytes, told: str | None) -> None:
    found = refusals(member + tar_member("a.txt", b"hello") + tar_end(), max_member_bytes=1000)
    assert found["a.txt"] is None
    if told is None:
        assert found == {"evil": "a second, other name", "a.txt": None}
    else:
        assert found["l"] == told


def test_an_old_sparse_file_is_read_over_with_its_map() -> None:
    header = bytearray(tar_header("l", type=b"S", size=4, magic=b"ustar  \0"))
    header[482] = 1
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    more = bytearray(512)
    more[504] = 1
    data = bytes(header) + bytes(more) + b"\0" * 512 + b"data".ljust(512, b"\0")
    assert refusals(data + tar_member("a.txt") + tar_end()) == {"l": "sparse file", "a.txt": None}


@pytest.mark.parametrize(
    ("before", "name"),
    [
        (pax({"path": "evil.txt"}), "harmless.txt"),
        (pax({"path": "x" * 120}), "x" * 98),
        (pax({"path": "x" * 120}), "y" * 100),
        (pax({"path": "dir/a"}), "a"),
        (tar_member("././@LongLink", b"evil.txt\0", type=b"L"), "harmless.txt"),
        (pax({"path": "a\0b"}), "a"),
        (pax({"path": "a"}) + tar_member("././@LongLink", b"a\0", type=b"L"), "a"),
        (pax(pax_record("path", "b") + pax_record("path", "a")), "a"),
    ],
)
def test_a_header_that_gives_another_name_is_refused(before: bytes, name: str) -> None:
    found = read(before + tar_member(name, b"data") + tar_end())
    assert [str(member.refusal) for member, _ in found] in (
        ["a second, other name"],
        ["a name with characters that do not show"],
    )
    assert [data for _, data in found] == [None]


@pytest.mark.parametrize(
    "ambiguous",
    [
        # Where does it end?
        pax({"size": "1024"}) + tar_member("l", b"x"),
        pax({"size": "-1"}) + tar_member("l", b"x"),
        pax({"size": "1"}) + pax({"size": "1"}) + tar_member("l", b"x"),
        pax(pax_record("size", "1") + pax_record("size", "2")) + tar_member("l", b"x"),
        tar_member("l", b"x" * 512, type=b"5"),
        tar_member("l", b"x" * 512, type=b"2", linkname="a"),
        tar_member("l/", b"x" * 512),
        tar_member("././@LongLink", b"l\0", type=b"L") + tar_member("l/", b"x" * 512, type=b"\0"),
        # What is the next name?
        pax({"path": "evil"}, b"g"),
        pax({"size": "1"}, b"g"),
        pax(b"8 a=bc\n"),
        pax(b"99999 a=b\n"),
        pax(b"a=b\n"),
        pax(b"5 a=b"),
        # What is it at all?
        b"x" * 512,
        tar_header("l")[:-1] + b"\1",
        tar_member("l", b"x" * 600)[:700],
        tar_header("l", size=5000),
        b"half a block",
    ],
)
def test_where_two_programs_could_go_on_differently_reading_ends(ambiguous: bytes) -> None:
    data = tar_member("a.txt", b"hello") + ambiguous
    with pytest.raises(ResourceUnavailableError):
        read(data if len(ambiguous) < 512 or len(data) % 512 else data + tar_member("hidden") + tar_end())


def test_a_negative_number_is_no_size() -> None:
    block = bytearray(tar_header("l"))
    block[124:136] = b"\xff" * 11 + b"\x00"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(ResourceUnavailableError, match="negative"):
        read(bytes(block) * 3)


def test_global_comments_are_harmless() -> None:
    data = pax({"comment": "0" * 40}, b"g") + tar_member("a.txt", b"hello") + tar_end()
    assert refusals(data) == {"a.txt": None}


def test_attributes_that_would_fill_the_memory_are_not_taken() -> None:
    with pytest.raises(LimitExceededError, match="too long"):
        read(tar_header("x", type=b"x", size=2**33 - 1))
    with pytest.raises(ResourceUnavailableError, match="twice"):
        read(tar_member("././@LongLink", b"a", type=b"L") * 2 + tar_member("a"))


def test_of_a_name_that_is_too_long_little_is_kept() -> None:
    name = "ü" * 20_000
    [(member, content)] = read(pax({"path": name}) + tar_member(name, b"x") + tar_end())
    assert str(member.refusal) == "a name that is too long"
    assert (len(member.name.encode("utf-8", "surrogateescape")), content) == (1_025, None)


def test_there_are_no_more_members_than_the_bound() -> None:
    with pytest.raises(LimitExceededError, match="more than 3"):
        read(tar_member("a") * 4, max_members=3)
    assert len(read(tar_member("a") * 3, max_members=3)) == 3


def test_an_archive_of_nothing_is_read_and_an_empty_file_is_none() -> None:
    assert read(tar_end()) == []
    with pytest.raises(ResourceUnavailableError):
        read(b"")


def test_content_that_is_not_wanted_is_not_kept() -> None:
    data = tar_member("a", b"1") + tar_member("b", b"2") + tar_end()
    found = TarReader(io.BytesIO(data)).members(ArchiveBudget(ArchiveLimits()), {1})
    assert [content for _, content in found] == [None, b"2"]


@given(st.binary(max_size=2000), st.sampled_from([None, "gz", "bz2", "xz"]))
def test_no_bytes_break_it(data: bytes, compression: str | None) -> None:
    found: list[tuple[ArchiveMember, bytes | None]] = []
    with contextlib.suppress(ResourceUnavailableError, LimitExceededError):
        found = read(data, compression)
    assert all(content is None or len(content) == member.size_bytes for member, content in found)
