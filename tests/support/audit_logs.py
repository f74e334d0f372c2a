"""Logs for every test of the audit: a clock that stands still, a disk with room. A `conftest.py` takes them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.security.audit.disk_space import DiskSpace
from mcp_server.security.audit_logger import AuditLogger

ROOMY = DiskSpace(free_bytes=2**40, total_bytes=2**41)
NOON_NS = 1_800_000_000 * 1_000_000_000


@pytest.fixture
def make_log(tmp_path: Path) -> Iterator[Callable[..., AuditLogger]]:
    """Return a maker of logs in `tmp_path/audit`; whatever is still open at the end is closed."""
    logs: list[AuditLogger] = []

    def make(**settings: Any) -> AuditLogger:
        defaults: dict[str, Any] = {
            "directory": tmp_path / "audit",
            "wall_clock": lambda: NOON_NS,
            "monotonic": lambda: 5_000_000_000,
            "disk_space": lambda fd: ROOMY,
        }
        log = AuditLogger(**(defaults | settings))
        logs.append(log)
        return log

    yield make
    for log in logs:
        log.close()


@pytest.fixture
def closed_log(make_log: Callable[..., AuditLogger], tmp_path: Path) -> Path:
    """Return the directory of a log of eight records, closed in order."""
    log = make_log()
    log.open()
    for number in range(3):
        log.append("call.intent", {"call": f"c{number}", "client": "local", "tool": "read_file"})
        log.append("call.done", {"call": f"c{number}", "client": "local", "tool": "read_file"})
    log.close()
    return tmp_path / "audit"
