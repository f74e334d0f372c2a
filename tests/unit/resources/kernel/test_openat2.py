from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from mcp_server.resources.kernel.openat2 import RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, Openat2


@pytest.fixture
def openat2() -> Openat2:
    return Openat2()


def test_opens_below_and_closes_on_exec(openat2: Openat2, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    directory = os.open(tmp_path, os.O_PATH)
    descriptor = openat2.open(directory, "a", flags=os.O_RDONLY, resolve=RESOLVE_BENEATH)
    assert os.read(descriptor, 9) == b"x"
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    os.close(directory)


@pytest.mark.parametrize(
    ("path", "flags", "mode", "resolve", "number"),
    [
        ("..", os.O_PATH, 0, RESOLVE_BENEATH, errno.EXDEV),
        ("/", os.O_PATH, 0, RESOLVE_BENEATH, errno.EXDEV),
        ("link/x", os.O_PATH, 0, RESOLVE_NO_SYMLINKS, errno.ELOOP),
        ("missing", os.O_PATH, 0, 0, errno.ENOENT),
        ("a", os.O_RDONLY, 0o600, 0, errno.EINVAL),
        ("a", os.O_RDONLY, 0, 1 << 40, errno.EINVAL),
    ],
)
def test_the_kernels_refusals_arrive(
    openat2: Openat2, tmp_path: Path, path: str, flags: int, mode: int, resolve: int, number: int
) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    directory = os.open(tmp_path, os.O_PATH)
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number says which
            openat2.open(directory, path, flags=flags, mode=mode, resolve=resolve)
        assert caught.value.errno == number
    finally:
        os.close(directory)


def test_creates_with_a_mode(openat2: Openat2, tmp_path: Path) -> None:
    directory = os.open(tmp_path, os.O_PATH)
    os.close(openat2.open(directory, b"new", flags=os.O_WRONLY | os.O_CREAT, mode=0o600))
    os.close(directory)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
