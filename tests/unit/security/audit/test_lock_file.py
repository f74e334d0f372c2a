from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_server.errors.already_locked_error import AlreadyLockedError
from mcp_server.security.audit.lock_file import LockFile


def test_second_lock_is_refused_until_the_first_is_released(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    first = LockFile(folder, shown_as="audit")
    with pytest.raises(AlreadyLockedError, match="another process is writing"):
        LockFile(folder, shown_as="audit")
    first.release()
    first.release()
    LockFile(folder, shown_as="audit").release()
    os.close(folder)


def test_closing_another_descriptor_of_the_file_does_not_lose_the_lock(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    lock = LockFile(folder, shown_as="audit")
    (tmp_path / "lock").read_bytes()
    with pytest.raises(AlreadyLockedError):
        LockFile(folder, shown_as="audit")
    lock.release()
    os.close(folder)


def test_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    folder = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(OSError, match="symbolic links"):
        LockFile(folder, shown_as="audit")
    os.close(folder)
    assert not (tmp_path / "elsewhere").exists()
