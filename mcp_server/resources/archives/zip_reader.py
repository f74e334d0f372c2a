"""Reading zip archives."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Collection, Iterator
from typing import IO, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.inflated_stream import PIECE_BYTES, InflatedStream
from mcp_server.resources.archives.member_names import decoded, refusal_of_name
from mcp_server.resources.archives.member_refusal import MemberRefusal
from mcp_server.resources.archives.zip_entry import DIRECTORY_HEADER, ZipEntry, unicode_path

_END: Final = struct.Struct("<4sHHHHLLH")
_LOCAL_HEADER: Final = struct.Struct("<4sHHHHHLLLHH")
_MAX_COMMENT_BYTES: Final = 0xFFFF
# Stands for a size that is written elsewhere, as 64 bits: more than is taken in any case.
_ELSEWHERE: Final = 0xFFFFFFFF
# Encrypted, strongly encrypted, and a directory whose local headers are masked.
_ENCRYPTED: Final = 1 | 1 << 6 | 1 << 13
_SIZES_FOLLOW: Final = 1 << 3
_PATCHED: Final = 1 << 5
# What both headers have to say alike; the other flags tell how well it was compressed.
_BOTH: Final = _ENCRYPTED | _SIZES_FOLLOW | _PATCHED | 1 << 11
_STORED: Final = 0
_DEFLATED: Final = 8
_DOS_DIRECTORY: Final = 0x10


class ZipReader:
    """Reads the members that the directory of a zip archive names, and compares each with its own header.

    A zip archive says everything twice, and programs differ in what they believe. So whatever is said in two ways is
    left out, and an archive with more than one end, or with a directory that does not fill its place, is none.

    Args:
        file: The archive; nobody else moves in it meanwhile.

    Raises:
        ResourceUnavailableError: It is no zip archive, or it can be read in two ways.

    Source: APPNOTE.TXT 6.3.10. The standard library's reader is not used: it takes the directory into memory whole,
    gives up on all of it for one name, and reads names in another way with each version.

    >>> import io, zipfile
    >>> from mcp_server.resources.archives.archive_limits import ArchiveLimits
    >>> file = io.BytesIO()
    >>> with zipfile.ZipFile(file, "w") as archive:
    ...     archive.writestr("a.txt", "hello")
    >>> [(member.name, data) for member, data in ZipReader(file).members(ArchiveBudget(ArchiveLimits()), wanted={0})]
    [('a.txt', b'hello')]
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._count, self._start, self._end = self._find_directory()

    def members(
        self, budget: ArchiveBudget, wanted: Collection[int] = ()
    ) -> Iterator[tuple[ArchiveMember, bytes | None]]:
        """Yield every member with its content where that is wanted; see `ArchiveReader.members`."""
        entries = self._entries(budget)
        starts: list[int | None] = []
        for entry in entries:
            budget.tick()
            starts.append(self._data_start(entry))
        overlapping = self._overlapping(entries, starts)
        for index, (entry, start) in enumerate(zip(entries, starts, strict=True)):
            budget.tick()
            member = _member(index, entry, budget)
            if start is None:
                member = member.refused(MemberRefusal.CONTRADICTION)
            elif index in overlapping:
                member = member.refused(MemberRefusal.OVERLAP)
            data = None
            if member.refusal is None and start is not None and not member.is_directory:
                data = self._content(entry, start, budget, is_wanted=index in wanted)
                if data is None:
                    member = member.refused(MemberRefusal.DAMAGED)
            yield member, data if index in wanted else None

    def _find_directory(self) -> tuple[int, int, int]:
        """Return how many entries the directory has, where it starts and where it ends."""
        size = self._file.seek(0, 2)
        tail_start = max(0, size - _MAX_COMMENT_BYTES - _END.size)
        tail = self._read(tail_start, size - tail_start)
        found: list[tuple[int, int, int]] = []
        position = tail.find(b"PK\5\6")
        while position >= 0:
            if position + _END.size <= len(tail):
                _, disk, first_disk, here, count, length, start, comment = _END.unpack_from(tail, position)
                # A comment may hold whatever it likes, but only one of them reaches the end of the file.
                if position + _END.size + comment == len(tail):
                    if (disk, first_disk) != (0, 0) or here != count or start + length != tail_start + position:
                        raise _unusable("its directory is not where it says")
                    found.append((count, start, start + length))
            position = tail.find(b"PK\5\6", position + 1)
        if len(found) != 1:
            raise _unusable("it is no zip archive" if not found else "it can be read in two ways")
        return found[0]

    def _entries(self, budget: ArchiveBudget) -> list[ZipEntry]:
        if self._end - self._start > budget.limits.max_directory_bytes:
            raise LimitExceededError("max_directory_bytes", "its directory is too large")
        entries: list[ZipEntry] = []
        position = self._start
        for _ in range(self._count):
            budget.count()
            header = self._read(position, DIRECTORY_HEADER.size)
            if len(header) < DIRECTORY_HEADER.size or not header.startswith(b"PK\1\2"):
                raise _unusable("its directory is damaged")
            numbers = DIRECTORY_HEADER.unpack(header)
            flags, method = numbers[3], numbers[4]
            crc, packed, size, name_length, extra_length, comment_length = numbers[7:13]
            attributes, offset = numbers[15:]
            following = self._read(position + DIRECTORY_HEADER.size, name_length + extra_length)
            position += DIRECTORY_HEADER.size + name_length + extra_length + comment_length
            if position > self._end:
                raise _unusable("its directory is damaged")
            name, extra = following[:name_length], following[name_length:]
            entries.append(ZipEntry(name, flags, method, crc, packed, size, attributes, offset, extra))
        if position != self._end:
            raise _unusable("its directory holds more than it says")
        return entries

    def _data_start(self, entry: ZipEntry) -> int | None:
        """Return where the content starts, None where the member's own header is missing or says something else."""
        header = self._read(entry.offset, _LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\3\4"):
            return None
        numbers = _LOCAL_HEADER.unpack(header)
        flags, method = numbers[2], numbers[3]
        name_length, extra_length = numbers[9:]
        following = self._read(entry.offset + _LOCAL_HEADER.size, name_length + extra_length)
        name, extra = following[:name_length], following[name_length:]
        said, known = numbers[6:9], (entry.crc, entry.packed_bytes, entry.size_bytes)
        if flags & _SIZES_FOLLOW:
            # The directory has them; here they are the same or not yet known.
            is_same = all(one in (0, other) for one, other in zip(said, known, strict=True))
        else:
            is_same = said == known
        if not is_same or name != entry.name or method != entry.method or (flags ^ entry.flags) & _BOTH:
            return None
        try:
            if unicode_path(extra, name) not in (None, name):
                return None
        except ValueError:
            return None
        return int(entry.offset + _LOCAL_HEADER.size + name_length + extra_length)

    def _overlapping(self, entries: list[ZipEntry], starts: list[int | None]) -> set[int]:
        """Return the indexes of the members that share bytes with another, or with the directory."""
        places = sorted(
            (entry.offset, start + entry.packed_bytes, index)
            for index, (entry, start) in enumerate(zip(entries, starts, strict=True))
            if start is not None
        )
        found = {index for _, end, index in places if end > self._start}
        furthest, owner = 0, -1
        for begin, end, index in places:
            if begin < furthest:
                found |= {owner, index}
            if end > furthest:
                furthest, owner = end, index
        return found

    def _content(self, entry: ZipEntry, start: int, budget: ArchiveBudget, *, is_wanted: bool) -> bytes | None:
        """Return the content, empty where it is not wanted; None where it is not what the directory says."""
        position, left = start, entry.packed_bytes

        def packed(size: int) -> bytes:
            nonlocal position, left
            data = self._read(position, min(size, left))
            position += len(data)
            left -= len(data)
            return data

        def stored(size: int) -> bytes:
            data = packed(min(size, PIECE_BYTES))
            budget.produce(len(data), produced=len(data), consumed=len(data))
            return data

        read = stored if entry.method == _STORED else InflatedStream(packed, "deflate", budget).read
        pieces: list[bytes] = []
        size, crc = 0, 0
        try:
            # One byte more than it should be settles that it is too much.
            while size <= entry.size_bytes and (data := read(entry.size_bytes + 1 - size)):
                size += len(data)
                crc = zlib.crc32(data, crc)
                if is_wanted:
                    pieces.append(data)
        except ResourceUnavailableError:
            return None
        if (size, crc, left) != (entry.size_bytes, entry.crc, 0):
            return None
        return b"".join(pieces)

    def _read(self, position: int, size: int) -> bytes:
        self._file.seek(position)
        return self._file.read(size)


def _member(index: int, entry: ZipEntry, budget: ArchiveBudget) -> ArchiveMember:
    """Return what the directory says of a member, with the first reason against it."""
    name = decoded(entry.name, budget.limits)
    is_directory = entry.name.endswith(b"/")
    member = ArchiveMember(index, name, 0 if is_directory else entry.size_bytes, is_directory)
    limits = budget.limits
    kind = stat.S_IFMT(entry.mode)
    try:
        is_renamed = unicode_path(entry.extra, entry.name) not in (None, entry.name)
    except ValueError:
        is_renamed = True
    checks = (
        (kind == stat.S_IFLNK, MemberRefusal.SYMLINK),
        (kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK), MemberRefusal.SPECIAL),
        (entry.mode & (stat.S_ISUID | stat.S_ISGID) != 0, MemberRefusal.PRIVILEGED),
        (entry.flags & _ENCRYPTED != 0, MemberRefusal.ENCRYPTED),
        (is_renamed, MemberRefusal.RENAMED),
        (not entry.is_utf8, MemberRefusal.NOT_UTF8),
        (kind != 0 and (kind == stat.S_IFDIR) != is_directory, MemberRefusal.OTHER_KIND),
        (entry.attributes & _DOS_DIRECTORY != 0 and not is_directory, MemberRefusal.OTHER_KIND),
        (_ELSEWHERE in (entry.size_bytes, entry.packed_bytes, entry.offset), MemberRefusal.TOO_LARGE),
        (entry.size_bytes > limits.max_member_bytes, MemberRefusal.TOO_LARGE),
        (entry.method not in (_STORED, _DEFLATED) or entry.flags & _PATCHED != 0, MemberRefusal.METHOD),
        (is_directory and entry.size_bytes != 0, MemberRefusal.CONTRADICTION),
        (entry.method == _STORED and entry.size_bytes != entry.packed_bytes, MemberRefusal.CONTRADICTION),
        (
            entry.size_bytes > limits.ratio_from_bytes and entry.size_bytes > limits.max_ratio * entry.packed_bytes,
            MemberRefusal.RATIO,
        ),
    )
    reason = refusal_of_name(name, limits) or next((refusal for is_so, refusal in checks if is_so), None)
    return member if reason is None else member.refused(reason)


def _unusable(message: str) -> ResourceUnavailableError:
    return ResourceUnavailableError("io", message)
