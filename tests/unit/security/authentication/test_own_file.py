from __future__ import annotations

import os
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.own_file import OwnFile


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_bytes(b"12345")
    path.chmod(0o600)
    return path


def test_a_file_of_ones_own_is_read(file: Path) -> None:
    assert OwnFile(file, what="the key set", max_bytes=5).read() == b"12345"


@pytest.mark.parametrize(
    ("mode", "is_secret", "why"),
    [(0o620, False, "go-w"), (0o602, False, "go-w"), (0o640, True, "no secret any more"), (0o604, True, "no secret")],
)
def test_a_file_that_is_open_to_others_is_refused(file: Path, mode: int, is_secret: bool, why: str) -> None:
    file.chmod(mode)
    with pytest.raises(ConfigurationError, match=why) as caught:
        OwnFile(file, what="the key set", max_bytes=10, is_secret=is_secret).read()
    assert caught.value.source == str(file)


def test_public_keys_may_be_read_by_all(file: Path) -> None:
    file.chmod(0o644)
    assert OwnFile(file, what="the key set", max_bytes=10).read() == b"12345"


def test_a_file_of_somebody_else_is_refused(file: Path) -> None:
    somebody = os.geteuid() + 1
    os_root_owns_it = file.stat().st_uid == 0
    reader = OwnFile(file, what="the key set", max_bytes=10, user=lambda: somebody)
    if os_root_owns_it:
        # Root may write every file anyway.
        assert reader.read() == b"12345"
        os.chown(file, 12345, -1)
    with pytest.raises(ConfigurationError, match="belongs to user"):
        reader.read()


def test_a_large_file_is_not_read_whole(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="larger than 4"):
        OwnFile(file, what="the key set", max_bytes=4).read()


def test_what_is_no_file_is_refused_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, why in ((tmp_path / "pipe", "no regular"), (tmp_path, "no regular"), (tmp_path / "none", "No such file")):
        with pytest.raises(ConfigurationError, match=why):
            OwnFile(path, what="the key set", max_bytes=4).read()
    with pytest.raises(ConfigurationError, match="not valid"):
        OwnFile("a\0b", what="the key set", max_bytes=4).read()


def test_the_stamp_changes_with_the_file(file: Path) -> None:
    own = OwnFile(file, what="the key set", max_bytes=10)
    first = own.stamp()
    assert own.stamp() == first
    file.write_bytes(b"123456")
    assert own.stamp() != first
    file.unlink()
    assert own.stamp() is None
