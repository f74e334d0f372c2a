"""The mount id by `statx`."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import pytest

from mcp_server.resources.kernel.mount_table import MountTable
from mcp_server.resources.kernel.statx_mounts import StatxMounts


@pytest.mark.parametrize("path", ["/", "/proc", "/dev", "/proc/self/status"])
def test_it_says_what_proc_says(path: str) -> None:
    descriptor = os.open(path, os.O_PATH)
    try:
        assert StatxMounts().mount_id(descriptor) == MountTable().mount_id(descriptor)
    finally:
        os.close(descriptor)


def test_the_type_is_told_by_its_mount_id(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path, os.O_PATH)
    try:
        assert StatxMounts().type_of(descriptor) == MountTable().type_of(descriptor)
    finally:
        os.close(descriptor)


def test_what_is_not_open_has_none() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        StatxMounts().mount_id(-5)


def test_an_interrupted_call_is_made_again_and_an_old_kernel_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = StatxMounts()
    answers = iter([-1, 0])
    monkeypatch.setattr(mounts, "_statx", lambda *arguments: next(answers))
    monkeypatch.setattr(mounts, "_get_errno", lambda: errno.EINTR)
    # The structure stays empty: the kernel did not say that it filled the field in.
    with pytest.raises(OSError, match="no mount id"):
        mounts.mount_id(0)
    assert next(answers, None) is None


def test_a_library_without_the_call_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *arguments, **options: object())
    with pytest.raises(OSError, match=os.strerror(errno.ENOSYS)) as caught:
        StatxMounts()
    assert caught.value.errno == errno.ENOSYS
