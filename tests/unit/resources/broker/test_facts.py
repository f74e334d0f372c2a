"""What is known of a file, there and back, and what only looks like it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.broker.facts import stat_fields, stat_of, status_fields, status_of
from mcp_server.resources.filesystem.file_stat import FileStat

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=11) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)
GOOD = ["file", 1, 1.0, 2.0, 3.0, 0o644, 1]


@pytest.mark.parametrize("path", ["/", "/etc/passwd", "/dev/null"])
def test_what_is_told_is_what_is_known(path: str) -> None:
    status = os.stat(path)
    found = FileStat.of(status)
    assert stat_of(stat_fields(found)) == found
    again = status_of(status_fields(status))
    for name in (
        "st_mode",
        "st_ino",
        "st_dev",
        "st_nlink",
        "st_uid",
        "st_gid",
        "st_size",
        "st_mtime_ns",
        "st_atime_ns",
    ):
        assert getattr(again, name) == getattr(status, name)
    assert FileStat.of(again) == found


def test_a_file_may_be_older_than_1970(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.touch()
    os.utime(path, ns=(-1_500_000_000, -1_500_000_001))
    status = os.stat(path)
    again = status_of(status_fields(status))
    assert (again.st_mtime_ns, int(again.st_mtime)) == (status.st_mtime_ns, int(status.st_mtime))
    assert stat_of(stat_fields(FileStat.of(status))) == FileStat.of(status)


@pytest.mark.parametrize(
    "fields",
    [
        *[[*GOOD[:at], bad, *GOOD[at + 1 :]] for at in range(7) for bad in (None, "1", [], -(2**70), 2**70, True)],
        *[[*GOOD[:at], bad, *GOOD[at + 1 :]] for at in (2, 3, 4) for bad in (float("nan"), float("inf"), 10**400)],
        *[[*GOOD[:at], bad, *GOOD[at + 1 :]] for at in (1, 5, 6) for bad in (1.0, -1)],
        GOOD[:6],
        [*GOOD, 1],
        {},
        "file",
    ],
)
def test_what_is_no_stat_is_refused(fields: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        stat_of(fields)


@given(JSON)
def test_whatever_comes_is_parsed_or_refused(fields: Any) -> None:
    parsers: list[tuple[Any, type]] = [(stat_of, FileStat), (status_of, os.stat_result)]
    for parse, kind in parsers:
        try:
            found = parse(fields)
        except ValueError:
            continue
        assert isinstance(found, kind)
