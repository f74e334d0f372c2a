"""The sign of life."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.resources.isolation.staging_lock import StagingLock


@pytest.fixture
def base(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def take(base: int) -> StagingLock:
    lock = StagingLock.take(base, "run")
    assert lock is not None
    return lock


def test_one_holder_at_a_time(base: int) -> None:
    lock = take(base)
    assert StagingLock.take(base, "run") is None
    lock.release()
    take(base).remove()


def test_removing_leaves_no_file(base: int, tmp_path: Path) -> None:
    lock = take(base)
    assert os.listdir(tmp_path) == ["run.lock"]
    lock.remove()
    lock.remove()
    assert os.listdir(tmp_path) == []


def test_releasing_leaves_the_file_for_a_sweep(base: int, tmp_path: Path) -> None:
    lock = take(base)
    lock.release()
    lock.release()
    assert os.listdir(tmp_path) == ["run.lock"]


def test_a_file_that_is_gone_already_is_no_error(base: int, tmp_path: Path) -> None:
    lock = take(base)
    (tmp_path / "run.lock").unlink()
    lock.remove()
    assert os.listdir(tmp_path) == []


def test_a_lock_on_a_file_that_lost_its_name_is_none(
    base: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Somebody removes it between our opening it and our locking it.
    real = os.open

    def losing(path: str, *arguments: int, **options: int) -> int:
        descriptor = real(path, *arguments, **options)
        os.unlink(path, dir_fd=base)
        return descriptor

    monkeypatch.setattr(os, "open", losing)
    assert StagingLock.take(base, "run") is None


def test_a_planted_link_is_not_followed(base: int, tmp_path: Path) -> None:
    (tmp_path / "run.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        StagingLock.take(base, "run")
    assert not (tmp_path / "victim").exists()


def test_a_lock_that_cannot_be_had_leaks_no_descriptor(base: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(descriptor: int, operation: int) -> None:
        raise OSError(37, "no locks available")

    monkeypatch.setattr("fcntl.flock", failing)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="no locks"):
        StagingLock.take(base, "run")
    assert len(os.listdir("/proc/self/fd")) == before
