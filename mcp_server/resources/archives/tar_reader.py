"""Reading tar archives."""

from __future__ import annotations

import stat
import tarfile
from collections.abc import Callable, Collection, Iterator
from typing import IO, Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_member import ArchiveMember
from mcp_server.resources.archives.inflated_stream import PIECE_BYTES, InflatedStream
from mcp_server.resources.archives.member_names import decoded, refusal_of_name
from mcp_server.resources.archives.member_refusal import MemberRefusal
from mcp_server.resources.archives.tar_attributes import TarAttributes

BLOCK_BYTES: Final = 512
_NAME: Final = slice(0, 100)
_TYPE: Final = slice(156, 157)
_MAGIC: Final = slice(257, 263)
_PREFIX: Final = slice(345, 500)
_IS_EXTENDED: Final = 482
_GOES_ON: Final = 504
_POSIX_MAGIC: Final = b"ustar\0"
# What is about the next member, or about all of them.
_BEFORE: Final = (b"x", b"X", b"g", b"L", b"K")
_REGULAR: Final = (b"0", b"\0")
_DIRECTORY: Final = b"5"
_OLD_SPARSE: Final = b"S"
# No content follows these, whatever size their header has; or it does. Programs differ.
_WITHOUT_CONTENT: Final = (b"1", b"2", b"3", b"4", b"5", b"6")
_REFUSED: Final = {
    b"1": MemberRefusal.HARD_LINK,
    b"2": MemberRefusal.SYMLINK,
    b"3": MemberRefusal.SPECIAL,
    b"4": MemberRefusal.SPECIAL,
    b"6": MemberRefusal.SPECIAL,
    b"S": MemberRefusal.SPARSE,
}

Read = Callable[[int], bytes]


class TarReader:
    """Reads the members of a tar archive from front to back.

    Where two programs could disagree about where a member ends, such as at a size that is written twice and not alike,
    reading ends: nothing behind it is known. Where they could disagree about its name, the member is left out.

    Args:
        file: The archive; nobody else moves in it meanwhile.
        compression: `gz`, `bz2`, `xz`, or None.

    Source: pax(1) of POSIX.1-2017; the GNU tar manual, "Basic Tar Format". Of the standard library's reader only the
    numbers of a header are used: it takes what stands before a member into memory whole, however large it is.

    >>> import io
    >>> from mcp_server.resources.archives.archive_limits import ArchiveLimits
    >>> file = io.BytesIO()
    >>> with tarfile.open(fileobj=file, mode="w") as archive:
    ...     entry = tarfile.TarInfo("a.txt")
    ...     entry.size = 5
    ...     archive.addfile(entry, io.BytesIO(b"hello"))
    >>> [(member.name, data) for member, data in TarReader(file).members(ArchiveBudget(ArchiveLimits()), wanted={0})]
    [('a.txt', b'hello')]
    """

    def __init__(self, file: IO[bytes], compression: str | None = None) -> None:
        self._file = file
        self._compression = compression

    def members(
        self, budget: ArchiveBudget, wanted: Collection[int] = ()
    ) -> Iterator[tuple[ArchiveMember, bytes | None]]:
        """Yield every member with its content where that is wanted; see `ArchiveReader.members`."""
        read = self._opened(budget)
        attributes = TarAttributes()
        index = 0
        while block := _block(read):
            if not any(block):
                return
            header = _header(block)
            kind = block[_TYPE]
            if kind in _BEFORE:
                size = header.size
                if size > budget.limits.max_header_bytes:
                    raise LimitExceededError("max_header_bytes", "a name or the attributes of a member are too long")
                attributes.add(kind, _content(read, size, is_wanted=True))
                continue
            budget.count()
            member = _member(index, block, header, attributes, budget)
            attributes = TarAttributes()
            if kind == _OLD_SPARSE:
                _skip_map(read, block)
            data = _content(read, header.size, is_wanted=index in wanted and member.refusal is None)
            yield member, data if index in wanted and member.refusal is None and not member.is_directory else None
            index += 1
        if index == 0:
            raise _unusable("it is empty")

    def _opened(self, budget: ArchiveBudget) -> Read:
        self._file.seek(0)
        if self._compression is not None:
            return InflatedStream(self._file.read, self._compression, budget).read

        def read(size: int) -> bytes:
            data = self._file.read(min(size, PIECE_BYTES))
            budget.produce(len(data), produced=len(data), consumed=len(data))
            return data

        return read


def _member(
    index: int, block: bytes, header: tarfile.TarInfo, attributes: TarAttributes, budget: ArchiveBudget
) -> ArchiveMember:
    """Return what is said of a member, with the first reason against it.

    Raises:
        ResourceUnavailableError: Where it ends can be read in two ways.
    """
    kind, prefix = block[_TYPE], _text(block[_PREFIX])
    is_posix = block[_MAGIC] == _POSIX_MAGIC
    short = _text(block[_NAME])
    if prefix and is_posix:
        short = prefix + b"/" + short
    name = short if attributes.name is None else attributes.name
    # Before there was a kind for directories, a slash at the end said so.
    is_directory = kind == _DIRECTORY or (kind in _REGULAR and name.endswith(b"/"))
    if attributes.size is not None and attributes.size != header.size:
        raise _unusable("the size of a member is written twice, and not alike")
    # A long name that is cut at a slash looks like such a directory to a program that looks before it knows the name.
    is_old_directory = kind == b"\0" and short.endswith(b"/")
    if header.size and (is_directory or is_old_directory or kind in _WITHOUT_CONTENT):
        raise _unusable("something that has no content has a size")
    member = ArchiveMember(index, decoded(name, budget.limits), 0 if is_directory else header.size, is_directory)
    checks = (
        (kind not in (*_REGULAR, _DIRECTORY), _REFUSED.get(kind, MemberRefusal.UNKNOWN_KIND)),
        (attributes.is_sparse, MemberRefusal.SPARSE),
        (bool(header.mode & (stat.S_ISUID | stat.S_ISGID)), MemberRefusal.PRIVILEGED),
        (attributes.is_contradictory, MemberRefusal.RENAMED),
        (attributes.name is not None and not attributes.is_long_form_of(short), MemberRefusal.RENAMED),
        # Some programs take these bytes for a part of the name even where the format has something else there.
        (bool(prefix) and not is_posix, MemberRefusal.RENAMED),
        (not attributes.is_utf8, MemberRefusal.NOT_UTF8),
        (header.size > budget.limits.max_member_bytes, MemberRefusal.TOO_LARGE),
    )
    reason = refusal_of_name(member.name, budget.limits) or next((why for is_so, why in checks if is_so), None)
    return member if reason is None else member.refused(reason)


def _block(read: Read) -> bytes:
    """Return the next block, nothing at the end."""
    block = b""
    while len(block) < BLOCK_BYTES and (data := read(BLOCK_BYTES - len(block))):
        block += data
    if block and len(block) < BLOCK_BYTES:
        raise _unusable("it ends in the middle")
    return block


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise _unusable("it is no tar archive, or damaged") from error
    if header.size < 0 or header.mode < 0:
        raise _unusable("a header holds a negative number")
    return header


def _content(read: Read, size: int, *, is_wanted: bool) -> bytes:
    """Return the next `size` bytes, nothing where they are not wanted; what fills their last block is read as well."""
    pieces: list[bytes] = []
    whole = -(-size // BLOCK_BYTES) * BLOCK_BYTES
    position = 0
    while position < whole:
        data = read(whole - position)
        if not data:
            raise _unusable("it ends in the middle")
        if is_wanted:
            pieces.append(data[: max(0, size - position)])
        position += len(data)
    return b"".join(pieces)


def _skip_map(read: Read, block: bytes) -> None:
    """Read over the map of a sparse file, which stands between its header and its content."""
    goes_on = bool(block[_IS_EXTENDED])
    while goes_on:
        following = _block(read)
        if not following:
            raise _unusable("it ends in the middle")
        goes_on = bool(following[_GOES_ON])


def _text(field: bytes) -> bytes:
    return field.split(b"\0", 1)[0]


def _unusable(message: str) -> ResourceUnavailableError:
    return ResourceUnavailableError("io", message)
