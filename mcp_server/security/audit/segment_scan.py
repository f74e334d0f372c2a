"""The chain of one segment, checked as fast as hashing allows."""

from __future__ import annotations

from binascii import hexlify
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

from mcp_server.security.audit.hash_chain import LINK_LENGTH, link_to
from mcp_server.security.audit.segment_files import line_blocks


@dataclass(frozen=True, slots=True)
class SegmentScan:
    """How far a segment's chain holds.

    No JSON is parsed: a line is split off at its newline, its last 77 bytes are compared with the link that the line
    before it demands, and it is hashed.

    Args:
        lines: How many lines hold.
        end: Where the last of them ends, in bytes.
        leaf: Its leaf hash; the one the scan started from when there is none.
        last: The last line that holds, without newline.
        broken: The first line that does not hold, None when all do.
        rest: How many bytes stand behind the last newline.
        size: The file's length as it was read.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "00000000.jsonl"
    >>> _ = path.write_bytes(b'{"seq":0' + link_to(b"0" * 64) + b'\\n{"seq"')
    >>> scan = SegmentScan.of(path, b"0" * 64)
    >>> scan.lines, scan.broken, scan.rest
    (1, None, 6)
    """

    lines: int
    end: int
    leaf: bytes
    last: bytes
    broken: bytes | None
    rest: int
    size: int

    @classmethod
    def of(cls, path: Path, leaf: bytes) -> Self:
        """Check a segment's lines, the first of which must follow the record with the given leaf hash."""
        count = 0
        end = 0
        size = 0
        rest = b""
        last = b""
        with path.open("rb") as file:
            for lines, rest in line_blocks(file):
                for line in lines:
                    if line[-LINK_LENGTH:] != link_to(leaf):
                        return cls(count, end, leaf, last, line, 0, size)
                    leaf = hexlify(sha256(b"\x00" + line).digest())
                    count += 1
                    end += len(line) + 1
                    last = line
                size = end + len(rest)
        return cls(count, end, leaf, last, None, len(rest), size)

    @property
    def is_whole(self) -> bool:
        """Whether every line holds and the file ends with a newline."""
        return self.broken is None and self.rest == 0
