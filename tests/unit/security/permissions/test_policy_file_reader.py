from __future__ import annotations

import gc
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.policy_file_reader import MAX_POLICY_BYTES, PolicyFileReader, effective_user


def status(*, mode: int = stat.S_IFREG | 0o600, uid: int = 1000, size: int = 3) -> os.stat_result:
    return os.stat_result((mode, 1, 1, 1, uid, 100, size, 0, 0, 0))


def reader(
    file: os.stat_result, *, directory: int = 0o755, user: Callable[[], int | None] = lambda: 1000
) -> PolicyFileReader:
    return PolicyFileReader(fstat=lambda _: file, stat_path=lambda _: status(mode=stat.S_IFDIR | directory), user=user)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "desk.toml"
    path.write_text("é=1", encoding="utf-8")
    path.chmod(0o600)
    return path


def test_a_file_of_ones_own_is_read(file: Path) -> None:
    assert PolicyFileReader().read(file) == "é=1"


@pytest.mark.parametrize("uid", [0, 1000])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o400])
def test_root_and_oneself_are_trusted(file: Path, uid: int, mode: int) -> None:
    assert reader(status(mode=stat.S_IFREG | mode, uid=uid)).read(file)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o777])
def test_a_file_others_may_write_is_refused(file: Path, mode: int) -> None:
    with pytest.raises(ConfigurationError, match="chmod go-w"):
        reader(status(mode=stat.S_IFREG | mode)).read(file)


def test_a_really_writable_file_is_refused(file: Path) -> None:
    file.chmod(0o666)
    with pytest.raises(ConfigurationError, match="chmod go-w"):
        PolicyFileReader().read(file)


def test_a_file_of_somebody_else_is_refused(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="belongs to user 1001"):
        reader(status(uid=1001)).read(file)


def test_even_root_does_not_trust_the_file_of_a_user(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="belongs to user 1000"):
        reader(status(uid=1000), user=lambda: 0).read(file)


def test_a_directory_where_everybody_may_replace_it_is_refused(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="replace"):
        reader(status(), directory=0o777).read(file)
    assert reader(status(), directory=0o1777).read(file)


def test_where_there_are_no_users_nothing_is_asked_of_them(file: Path) -> None:
    assert reader(status(uid=7, mode=stat.S_IFREG | 0o666), user=lambda: None).read(file)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ConfigurationError, match="no regular file"):
            PolicyFileReader().read(path)


@pytest.mark.parametrize("path", ["nowhere", "nul\0"])
def test_what_cannot_be_opened_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        PolicyFileReader().read(f"{tmp_path}/{path}")


def test_what_cannot_be_examined_is_refused(file: Path) -> None:
    def broken(_: int) -> os.stat_result:
        raise OSError(5, "Input/output error")

    with pytest.raises(ConfigurationError, match="Input/output"):
        PolicyFileReader(fstat=broken).read(file)


def test_too_large_a_file_is_refused_by_what_it_says_and_by_what_is_read(file: Path) -> None:
    file.write_bytes(b"#" * (MAX_POLICY_BYTES + 1))
    with pytest.raises(ConfigurationError, match="larger"):
        PolicyFileReader().read(file)
    with pytest.raises(ConfigurationError, match="larger"):
        reader(status()).read(file)
    file.write_bytes(b"#" * MAX_POLICY_BYTES)
    assert len(PolicyFileReader().read(file)) == MAX_POLICY_BYTES


def test_bytes_that_are_no_text_are_refused_with_their_line(file: Path) -> None:
    file.write_bytes(b"a = 1\nb = '\xff'\n")
    with pytest.raises(ConfigurationError, match=r"UTF-8") as caught:
        PolicyFileReader().read(file)
    assert caught.value.line == 2


def test_no_descriptor_is_left_open(file: Path) -> None:
    gc.collect()  # what earlier tests left must not be closed in the middle of the count
    before = len(os.listdir("/proc/self/fd"))
    for mode in (0o600, 0o666):
        file.chmod(mode)
        try:
            PolicyFileReader().read(file)
        except ConfigurationError:
            assert mode == 0o666
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_user_is_the_effective_one() -> None:
    assert effective_user() == os.geteuid()
