"""Reading an open file in bounded pieces."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_server.resources.filesystem.reading import read_at_most


@pytest.mark.parametrize(
    ("offset", "most", "expected", "found"),
    [
        (0, 10, 6, (b"inside", False)),
        (0, 6, 6, (b"inside", False)),
        (0, 5, 6, (b"insid", True)),
        (2, 2, 6, (b"si", True)),
        (9, 2, 6, (b"", False)),
        # The announced size is a hint: too small, too large or less than nothing changes nothing.
        (0, 10, 0, (b"inside", False)),
        (0, 10, 1 << 40, (b"inside", False)),
        (4, 10, 1, (b"de", False)),
    ],
)
def test_at_most_so_much(tmp_path: Path, offset: int, most: int, expected: int, found: tuple[bytes, bool]) -> None:
    (tmp_path / "file").write_bytes(b"inside")
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        assert read_at_most(descriptor, offset, most, expected) == found
    finally:
        os.close(descriptor)
