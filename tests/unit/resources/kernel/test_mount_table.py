from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_server.resources.kernel.mount_table import MountTable


def test_mounts_are_told_apart(tmp_path: Path) -> None:
    table = MountTable()
    here, there, proc = os.open(tmp_path, os.O_PATH), os.open(tmp_path, os.O_PATH), os.open("/proc", os.O_PATH)
    assert table.mount_id(here) == table.mount_id(there)
    assert table.mount_id(here) != table.mount_id(proc)
    assert table.type_of(proc) == "proc"
    for descriptor in (here, there, proc):
        os.close(descriptor)
    with pytest.raises(OSError, match="No such file"):
        table.mount_id(here)
