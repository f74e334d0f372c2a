"""Zip archives: what is read as by everybody, and what is refused because it is not."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_limits import ArchiveLimits
from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.zip_reader import ZipReader
from tests.support.archives import ZipMember, zip_of

GOOD = ZipMember(b"a.txt", b"hello")
UTF8 = 1 << 11


def read(data: bytes, **limits: Any) -> list[tuple[ArchiveMember, bytes | None]]:
    budget = ArchiveBudget(ArchiveLimits(**limits))
    return list(ZipReader(io.BytesIO(data)).members(budget, range(100_000)))


def refusals(data: bytes, **limits: Any) -> list[tuple[str, str | None]]:
    found = read(data, **limits)
    assert all((content is None) == (member.refusal is not None or member.is_directory) for member, content in found)
    return [(member.name, None if member.refusal is None else str(member.refusal)) for member, _ in found]


def name_field(name: bytes, *, of: bytes) -> bytes:
    """Return the extra field that gives a member another name."""
    data = struct.pack("<BL", 1, zlib.crc32(of)) + name
    return struct.pack("<HH", 0x7075, len(data)) + data


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_the_standard_library_writes_is_read(method: int, is_streamed: bool) -> None:
    files = {"a.txt": b"hello", "d/ü.bin": bytes(range(256)) * 500, "empty": b"", "d/e/": b""}
    file = io.BytesIO()
    target: Any = file
    if is_streamed:
        # Without a way back the sizes stand behind the content.
        target = io.BufferedWriter(Unseekable(file))
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    if is_streamed:
        target.detach()
    found = read(file.getvalue())
    assert [member.refusal for member, _ in found] == [None] * 4
    assert {member.name: data or b"" for member, data in found} == files


class Unseekable(io.RawIOBase):
    """A stream that only goes forward."""

    def __init__(self, file: io.BytesIO) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._file.write(data)


def test_a_comment_and_what_stands_before_are_no_matter() -> None:
    assert refusals(zip_of(GOOD, comment=b"a comment", before=b"#!/bin/sh\n")) == [("a.txt", None)]
    assert refusals(zip_of()) == []


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (ZipMember(b"l", b"/etc", attributes=0o120777 << 16), "symbolic link"),
        (ZipMember(b"l", attributes=0o020644 << 16), "special file"),
        (ZipMember(b"l", attributes=0o010644 << 16), "special file"),
        (ZipMember(b"l", b"x", attributes=0o104755 << 16), "setuid or setgid bit"),
        (ZipMember(b"l", b"x" * 12, flags=1), "encrypted"),
        (ZipMember(b"l", b"x" * 12, flags=1 << 6), "encrypted"),
        (ZipMember(b"l", b"x" * 12, flags=1 << 13), "encrypted"),
        (ZipMember(b"l", b"x", method=12), "unknown compression"),
        (ZipMember(b"l", b"x", method=8, packed=b"x", flags=1 << 5), "unknown compression"),
        (ZipMember(b"l", b"x", attributes=0o040755 << 16), "a file and a directory of the same name"),
        (ZipMember(b"l/", attributes=0o100644 << 16), "a file and a directory of the same name"),
        (ZipMember(b"l", b"x", attributes=0x10), "a file and a directory of the same name"),
        (ZipMember(b"l/", b"x", attributes=0), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", size=2**32 - 1), "too large"),
        (ZipMember(b"l", b"x" * 2000), "too large"),
        # Two things said of one member.
        (ZipMember(b"l", b"x", local={"name": b"evil"}), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", local={"method": 8}), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", local={"flags": 1}), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", local={"size": 2}), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", local={"crc": 2}), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", flags=8, local={"crc": 2}), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", size=2), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", offset=1), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", offset=2**31), "its header contradicts the directory of the archive"),
        (ZipMember(b"l", b"x", extra=name_field(b"evil", of=b"l")), "a second, other name"),
        (ZipMember(b"l", b"x", extra=name_field(b"evil", of=b"k")), "a second, other name"),
        (ZipMember(b"l", b"x", extra=b"up\xff\xff"), "a second, other name"),
        (
            ZipMember(b"l", b"x", local={"extra": name_field(b"evil", of=b"l")}),
            "its header contradicts the directory of the archive",
        ),
        # A name that everybody reads otherwise.
        (ZipMember("ü".encode(), b"x"), "a name that is not UTF-8"),
        (ZipMember(b"\x81", b"x"), "a name that is not UTF-8"),
        (ZipMember(b"\xff", b"x", flags=UTF8), "a name that is not UTF-8"),
        # Content that is not what was promised.
        (ZipMember(b"l", b"x", crc=7), "damaged"),
        (ZipMember(b"l", b"x", method=8, packed=b"\xff\xff"), "damaged"),
        (ZipMember(b"l", b"x" * 50, method=8, size=49), "damaged"),
        (ZipMember(b"l", b"x" * 50, method=8, size=51), "damaged"),
        (ZipMember(b"l", b"x", method=8, packed=ZipMember(b"", b"x", method=8).content + b"more"), "damaged"),
        (ZipMember(b"l", b"x", method=8, packed=b""), "damaged"),
    ],
)
def test_what_is_no_plain_file_is_refused_and_the_others_are_read(member: ZipMember, told: str) -> None:
    found = refusals(zip_of(GOOD, member, ZipMember(b"b.txt", b"more")), max_member_bytes=1000)
    assert [reason for _, reason in found] == [None, told, None]


@pytest.mark.parametrize("flags", [0, UTF8])
def test_a_name_that_is_said_to_be_utf8_is_read(flags: int) -> None:
    name = "ü".encode()
    extra = b"" if flags else name_field(name, of=name)
    assert refusals(zip_of(ZipMember(name, b"x", flags=flags, extra=extra))) == [("ü", None)]


def test_members_that_overlap_are_refused() -> None:
    # One member's content is another member, and a third is the second once more.
    inner = zip_of(GOOD)[: -22 - 46 - len(GOOD.name)]
    outer = ZipMember(b"outer", inner)
    header = 30 + len(outer.name)
    found = refusals(zip_of(outer, ZipMember(b"a.txt", b"hello", offset=header), ZipMember(b"b.txt", b"x")))
    assert found == [
        ("outer", "it overlaps another member"),
        ("a.txt", "it overlaps another member"),
        ("b.txt", None),
    ]


def test_many_names_of_one_content_are_refused() -> None:
    members = [ZipMember(b"a", b"\0" * 1000), *(ZipMember(b"a", b"\0" * 1000, offset=0) for _ in range(9))]
    assert {reason for _, reason in refusals(zip_of(*members))[:-1]} == {"it overlaps another member"}


def test_a_member_that_reaches_into_the_directory_is_refused() -> None:
    data = bytearray(zip_of(ZipMember(b"a", b"x", size=30, packed=b"x")))
    for at in (14 + 4, data.index(b"PK\1\2") + 20):
        data[at : at + 8] = struct.pack("<LL", 30, 30)
    assert [reason for _, reason in refusals(bytes(data))] == ["it overlaps another member"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zip",
        zip_of(GOOD)[:-1],
        zip_of(GOOD)[:-30],
        zip_of(GOOD) + b"more",
        # Two ends, each with a directory: programs differ in which they look for.
        zip_of(GOOD, comment=zip_of(ZipMember(b"evil", b"x"))),
        zip_of(GOOD, behind=b"between"),
        zip_of(GOOD).replace(b"PK\1\2", b"PK\1\3"),
        # More and fewer entries than it says.
        zip_of(GOOD)[:-14] + struct.pack("<HH", 2, 2) + zip_of(GOOD)[-10:],
        zip_of(GOOD)[:-14] + struct.pack("<HH", 0, 0) + zip_of(GOOD)[-10:],
        zip_of(GOOD)[:-14] + struct.pack("<HH", 1, 2) + zip_of(GOOD)[-10:],
        zip_of(GOOD)[:-18] + struct.pack("<HH", 1, 1) + zip_of(GOOD)[-14:],
    ],
)
def test_an_archive_that_can_be_read_in_two_ways_is_none(data: bytes) -> None:
    if data == zip_of(GOOD, behind=b"between"):
        # What nobody names is nobody's.
        assert refusals(data) == [("a.txt", None)]
        return
    with pytest.raises(ResourceUnavailableError):
        read(data)


WITH_64_BIT_SIZES = bytes.fromhex(
    "504b03042d0000000000000021008316dc8cffffffffffffffff0100140061010010000100000000000000010000000000000078"
    "504b01022d032d0000000000000021008316dc8c010000000100000001000000000000000000000080010000000061"
    "504b050600000000010001002f000000340000000000"
)
"""What `zipfile` of Python 3.11.7 writes with `force_zip64`; that of before 3.11.4 contradicts itself."""


def test_one_with_64_bit_sizes_is_refused() -> None:
    with zipfile.ZipFile(io.BytesIO(WITH_64_BIT_SIZES)) as archive:
        assert archive.read("a") == b"x"
    assert [reason for _, reason in refusals(WITH_64_BIT_SIZES)] == [
        "its header contradicts the directory of the archive"
    ]


def test_what_the_ratio_or_the_sum_forbids_is_not_inflated() -> None:
    bomb = ZipMember(b"a", b"\0" * 3_000_000, method=8)
    assert [reason for _, reason in refusals(zip_of(bomb))] == ["it grows too much"]
    assert [reason for _, reason in refusals(zip_of(bomb), ratio_from_bytes=4_000_000)] == [None]
    noise = [ZipMember(b"%d" % number, bytes(range(256)) * 400) for number in range(11)]
    with pytest.raises(LimitExceededError, match="1 MiB in all"):
        read(zip_of(*noise), max_total_bytes=1024 * 1024)


def test_a_size_that_lies_is_noticed_before_it_is_believed() -> None:
    # 3 MB of zeros that call themselves 1,000 bytes.
    liar = ZipMember(b"a", b"\0" * 3_000_000, method=8, size=1_000)
    assert [reason for _, reason in refusals(zip_of(liar), max_total_bytes=200_000)] == ["damaged"]


def test_there_are_no_more_members_than_the_bound() -> None:
    data = zip_of(*(ZipMember(b"%d" % number) for number in range(4)))
    with pytest.raises(LimitExceededError, match="more than 3"):
        read(data, max_members=3)
    assert len(read(data, max_members=4)) == 4


def test_a_directory_that_would_fill_the_memory_is_not_taken() -> None:
    data = zip_of(*(ZipMember(b"%d" % number, extra=b"\0" * 60_000) for number in range(4)))
    with pytest.raises(LimitExceededError, match="directory is too large"):
        read(data, max_directory_bytes=200_000)
    assert len(read(data, max_directory_bytes=300_000)) == 4


def test_of_a_name_that_is_too_long_little_is_kept() -> None:
    [(member, content)] = read(zip_of(ZipMember(b"x" * 60_000 + b"/", attributes=0)))
    assert str(member.refusal) == "a name that is too long"
    assert (len(member.name), member.is_directory, content) == (1_025, True, None)


def test_content_that_is_not_wanted_is_checked_and_not_kept() -> None:
    data = zip_of(GOOD, ZipMember(b"b", b"x", crc=7), ZipMember(b"c", b"y"))
    found = list(ZipReader(io.BytesIO(data)).members(ArchiveBudget(ArchiveLimits()), {2}))
    assert [content for _, content in found] == [None, None, b"y"]
    assert str(found[1][0].refusal) == "damaged"


@given(st.binary(max_size=500), st.integers(0, 200), st.binary(max_size=20))
def test_no_bytes_break_it(tail: bytes, at: int, piece: bytes) -> None:
    good = zip_of(GOOD, ZipMember(b"b", b"\0" * 100, method=8))
    for data in (tail, good[:at] + piece + good[at + len(piece) :], good[:at] + piece + good[at:]):
        found: list[tuple[ArchiveMember, bytes | None]] = []
        with contextlib.suppress(ResourceUnavailableError, LimitExceededError):
            found = read(data)
        assert all(content is None or len(content) == member.size_bytes for member, content in found)
