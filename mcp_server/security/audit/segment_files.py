"""Names and lines of the files a log is made of; read-only, shared by recovery, verifier and reader."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from mcp_server.security.audit.hash_chain import leaf_hash

HEAD_NAME: Final = "head"
KEY_NAME: Final = "hmac.key"
ACKNOWLEDGED_NAME: Final = "acknowledged"
RESERVE_NAME: Final = "reserve"

# A record is at most 16 KiB by default; no line that we wrote is anywhere near this. Longer ones are damage.
MAX_LINE_BYTES: Final = 1024 * 1024
_BLOCK_BYTES: Final = 1024 * 1024
_SEGMENT_NAME: Final = re.compile(r"([0-9]{8})\.jsonl")


def segment_name(number: int) -> str:
    """Return the file name of a segment.

    >>> segment_name(7)
    '00000007.jsonl'
    """
    return f"{number:08d}.jsonl"


def segment_numbers(names: list[str]) -> list[int]:
    """Return the numbers of the segments among some file names, in order.

    >>> segment_numbers(["head", "00000001.jsonl", "00000000.jsonl", "00000000.torn"])
    [0, 1]
    """
    return sorted(int(match[1]) for match in map(_SEGMENT_NAME.fullmatch, names) if match)


def list_segments(directory: Path) -> list[tuple[int, Path]]:
    """Return the segments of a log, in order."""
    return [(number, directory / segment_name(number)) for number in segment_numbers(os.listdir(directory))]


def line_blocks(file: IO[bytes]) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield a file's complete lines in blocks, without newlines, each block with what follows its last newline.

    A line that grows past `MAX_LINE_BYTES` ends the reading: it is handed over as the rest of the last block.
    """
    rest = b""
    while block := file.read(_BLOCK_BYTES):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        yield lines, rest
        if len(rest) > MAX_LINE_BYTES:
            return


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield a segment's complete lines without their newlines; an incomplete last one is left out."""
    with path.open("rb") as file:
        for lines, _ in line_blocks(file):
            yield from lines


def line_ending_at(file: IO[bytes], end: int) -> bytes | None:
    """Return the line whose newline is the byte before `end`, or None when no line ends there."""
    start = max(0, end - MAX_LINE_BYTES)
    file.seek(start)
    data = file.read(end - start)
    if len(data) != end - start or not data.endswith(b"\n"):
        return None
    return data[data.rfind(b"\n", 0, -1) + 1 : -1]


def leaf_ending_at(path: Path, end: int) -> bytes | None:
    """Return the leaf hash of the line that ends at `end`, or None when no line ends there."""
    with path.open("rb") as file:
        line = line_ending_at(file, end)
    return None if line is None else leaf_hash(line)
