from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.resources.kernel.renameat2 import RENAME_EXCHANGE, RENAME_NOREPLACE, Renameat2


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "b").write_bytes(b"b")
    descriptor = os.open(tmp_path, os.O_PATH)
    yield descriptor
    os.close(descriptor)


def test_exchange_swaps(directory: int, tmp_path: Path) -> None:
    Renameat2().rename(directory, "a", directory, "b", flags=RENAME_EXCHANGE)
    assert (tmp_path / "a").read_bytes() == b"b"
    assert (tmp_path / "b").read_bytes() == b"a"


def test_noreplace_keeps(directory: int, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        Renameat2().rename(directory, "a", directory, b"b", flags=RENAME_NOREPLACE)
    Renameat2().rename(directory, "a", directory, "c", flags=RENAME_NOREPLACE)
    assert sorted(os.listdir(tmp_path)) == ["b", "c"]


def test_unknown_flags_and_names_are_errors(directory: int) -> None:
    with pytest.raises(OSError, match="Invalid") as caught:
        Renameat2().rename(directory, "a", directory, "b", flags=1 << 20)
    assert caught.value.errno == errno.EINVAL
    with pytest.raises(FileNotFoundError):
        Renameat2().rename(directory, "missing", directory, "b")
    with pytest.raises(ValueError, match="null"):
        Renameat2().rename(directory, "a", directory, "b\0")
