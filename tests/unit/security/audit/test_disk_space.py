from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_server.security.audit.disk_level import DiskLevel
from mcp_server.security.audit.disk_space import GIBIBYTES, MEBIBYTES, DiskSpace


@pytest.mark.parametrize(
    ("free", "total", "level"),
    [
        (13 * GIBIBYTES, 256 * GIBIBYTES, DiskLevel.NORMAL),
        (GIBIBYTES - 1, 256 * GIBIBYTES, DiskLevel.WARN),
        (256 * MEBIBYTES, 256 * GIBIBYTES, DiskLevel.WARN),
        (256 * MEBIBYTES - 1, 256 * GIBIBYTES, DiskLevel.REFUSE),
        (20 * MEBIBYTES, 100 * MEBIBYTES, DiskLevel.NORMAL),
        (19 * MEBIBYTES, 100 * MEBIBYTES, DiskLevel.WARN),
        (4 * MEBIBYTES, 100 * MEBIBYTES, DiskLevel.REFUSE),
        (0, 0, DiskLevel.NORMAL),
    ],
)
def test_smaller_threshold_counts(free: int, total: int, level: DiskLevel) -> None:
    assert DiskSpace(free_bytes=free, total_bytes=total).level is level


def test_filesystem_is_asked(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert DiskSpace.of(fd).total_bytes > 0
    finally:
        os.close(fd)
