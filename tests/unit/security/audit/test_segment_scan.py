from __future__ import annotations

from pathlib import Path

from mcp_server.security.audit.hash_chain import GENESIS, leaf_hash, link_to
from mcp_server.security.audit.segment_scan import SegmentScan


def chain(count: int) -> list[bytes]:
    lines: list[bytes] = []
    leaf = GENESIS
    for number in range(count):
        lines.append(b'{"seq":%d' % number + link_to(leaf))
        leaf = leaf_hash(lines[-1])
    return lines


def scan(path: Path, data: bytes) -> SegmentScan:
    path.write_bytes(data)
    return SegmentScan.of(path, GENESIS)


def test_whole_chain_holds(tmp_path: Path) -> None:
    lines = chain(4)
    data = b"".join(line + b"\n" for line in lines)
    found = scan(tmp_path / "s", data)
    assert found == SegmentScan(4, len(data), leaf_hash(lines[-1]), lines[-1], None, 0, len(data))
    assert found.is_whole


def test_empty_segment_holds(tmp_path: Path) -> None:
    assert scan(tmp_path / "s", b"") == SegmentScan(0, 0, GENESIS, b"", None, 0, 0)


def test_rest_behind_the_last_newline_is_counted(tmp_path: Path) -> None:
    data = chain(2)[0] + b"\n" + chain(2)[1]
    found = scan(tmp_path / "s", data)
    assert (found.lines, found.broken, found.rest, found.is_whole) == (1, None, len(chain(2)[1]), False)


def test_first_line_that_does_not_hold_is_found(tmp_path: Path) -> None:
    lines = chain(4)
    lines[1] = lines[1].replace(b'"seq":1', b'"seq":7')
    found = scan(tmp_path / "s", b"".join(line + b"\n" for line in lines))
    assert (found.lines, found.broken, found.is_whole) == (2, lines[2], False)
