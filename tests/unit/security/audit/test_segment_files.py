from __future__ import annotations

import io
from pathlib import Path

from mcp_server.security.audit.hash_chain import leaf_hash
from mcp_server.security.audit.segment_files import (
    MAX_LINE_BYTES,
    leaf_ending_at,
    line_blocks,
    line_ending_at,
    lines_of,
    list_segments,
)


def test_incomplete_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(b"a\n\nbc\nrest")
    assert list(lines_of(path)) == [b"a", b"", b"bc"]


def test_lines_that_span_blocks_are_put_together(tmp_path: Path) -> None:
    lines = [b"x" * 400_000, b"y" * 900_000, b"z"]
    path = tmp_path / "s"
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert list(lines_of(path)) == lines


def test_endless_line_is_not_read_to_its_end() -> None:
    file = io.BytesIO(b"x" * (5 * MAX_LINE_BYTES))
    assert [lines for lines, _ in line_blocks(file)] == [[], []]
    assert file.tell() < 4 * MAX_LINE_BYTES


def test_line_is_found_by_its_end(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_bytes(b"abc\nde\n")
    with path.open("rb") as file:
        assert [line_ending_at(file, end) for end in (4, 7, 6, 5, 99, 0)] == [b"abc", b"de", None, None, None, None]
    assert leaf_ending_at(path, 7) == leaf_hash(b"de")
    assert leaf_ending_at(path, 6) is None


def test_only_segments_are_listed(tmp_path: Path) -> None:
    for name in ("00000001.jsonl", "00000000.jsonl", "00000000.torn", "head", "1.jsonl", "00000002.jsonl.gz"):
        (tmp_path / name).touch()
    assert [number for number, _ in list_segments(tmp_path)] == [0, 1]
