from __future__ import annotations

import pytest

from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.quota_ledger import QuotaLedger


def test_nothing_is_counted_when_refused() -> None:
    ledger = QuotaLedger(max_bytes=10, max_files=1)
    ledger.reserve(size=5, files=1)
    for size, files in ((6, 0), (0, 1), (1, 1)):
        with pytest.raises(SandboxViolationError):
            ledger.reserve(size=size, files=files)
    assert (ledger.used_bytes, ledger.used_files) == (5, 1)
    ledger.release(size=50, files=5)
    assert (ledger.used_bytes, ledger.used_files) == (0, 0)


def test_without_bounds_everything_fits() -> None:
    ledger = QuotaLedger(max_bytes=None, max_files=None)
    ledger.reserve(size=2**60, files=2**30)
    assert ledger.used_bytes == 2**60


def test_an_overfull_folder_may_shrink() -> None:
    ledger = QuotaLedger(max_bytes=10, max_files=10, used_bytes=100, used_files=100)
    ledger.reserve(size=-5, files=0)
    assert ledger.used_bytes == 95
