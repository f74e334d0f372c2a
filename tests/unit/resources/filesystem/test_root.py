from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.filesystem.root import Root
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.kernel.mount_table import MountTable


class Says(MountTable):
    def __init__(self, kind: str | None) -> None:
        self.kind = kind

    def type_of(self, descriptor: int) -> str:
        if self.kind is None:
            raise OSError("no /proc")
        return self.kind


@pytest.mark.parametrize("kind", ["proc", "sysfs", "cgroup2", "fuse.sshfs", "fuse", "fuseblk", "devpts", None])
def test_kinds_that_are_refused(kind: str | None, tmp_path: Path) -> None:
    gc.collect()  # what earlier tests left must not be closed in the middle of the count
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(ConfigurationError):
        Root(RootConfig(tmp_path), mounts=Says(kind))
    assert len(os.listdir("/proc/self/fd")) == before


def test_kinds_that_are_quick(tmp_path: Path) -> None:
    assert Root(RootConfig(tmp_path), mounts=Says("ext4")).is_quick
    assert not Root(RootConfig(tmp_path), mounts=Says("nfs4")).is_quick
    assert not Root(RootConfig(tmp_path, allow_fuse=True), mounts=Says("fuse.sshfs")).is_quick


def test_names(tmp_path: Path) -> None:
    assert Root(RootConfig(tmp_path)).name == tmp_path.name
    assert Root(RootConfig(tmp_path, name="notes")).name == "notes"
    assert repr(Root(RootConfig(tmp_path))) == f"Root({str(tmp_path)!r})"
