"""One entry of a zip archive's central directory."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Final

DIRECTORY_HEADER: Final = struct.Struct("<4sHHHHHHLLLHHHHHLL")
"""What stands before the name. Source: APPNOTE.TXT 6.3.10, section 4.3.12."""

UTF8_FLAG: Final = 1 << 11
_UNICODE_PATH: Final = 0x7075


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """What the directory says of a member; numbers as they are written there.

    Args:
        name: The bytes of the name.
        flags: The general purpose flags.
        method: How it is compressed.
        crc: The checksum of the content.
        packed_bytes: The size of what is in the archive.
        size_bytes: The size of the content.
        attributes: The external attributes: mode of Unix above, DOS below.
        offset: Where the member's own header stands.
        extra: The extra fields.

    >>> ZipEntry(b"a", 0, 0, 0, 0, 0, 0o100644 << 16, 0, b"").mode == 0o100644
    True
    """

    name: bytes
    flags: int
    method: int
    crc: int
    packed_bytes: int
    size_bytes: int
    attributes: int
    offset: int
    extra: bytes

    @property
    def mode(self) -> int:
        """Kind and permissions as Unix has them; 0 where another system has written it."""
        return self.attributes >> 16

    @property
    def is_utf8(self) -> bool:
        """Whether everybody reads the same name: ASCII, or said to be UTF-8."""
        return self.name.isascii() or bool(self.flags & UTF8_FLAG) or unicode_path(self.extra, self.name) == self.name


def unicode_path(extra: bytes, name: bytes) -> bytes | None:
    """Return the name that an extra field gives in place of `name`, None where there is none.

    Raises:
        ValueError: The extra fields are no such fields.

    Source: APPNOTE.TXT 6.3.10, sections 4.5.1 and 4.6.9.

    >>> unicode_path(b"up" + struct.pack("<HBL", 7, 1, zlib.crc32(b"a")) + b"hi", b"a")
    b'hi'
    """
    position = 0
    found = None
    # What is shorter than a header is padding, which some programs leave.
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        position += 4
        data = extra[position : position + size]
        if len(data) < size:
            raise ValueError("an extra field is longer than all of them")
        position += size
        if kind == _UNICODE_PATH:
            if size < 5 or data[0] != 1 or int.from_bytes(data[1:5], "little") != zlib.crc32(name):
                raise ValueError("a name in an extra field is not one for this name")
            found = data[5:]
    return found
