from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.log_directory import LogDirectory, read_key
from mcp_server.security.audit.log_head import LogHead


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_for_the_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        directory = LogDirectory(tmp_path / "a" / "audit")
        os.close(directory.create_segment(0))
        directory.write_head(LogHead())
        directory.load_key(os.urandom)
        directory.set_aside(0, b"torn")
        directory.make_reserve()
    finally:
        os.umask(before)
    directory.close()
    assert mode(tmp_path / "a" / "audit") == 0o700
    assert {mode(path) for path in (tmp_path / "a" / "audit").iterdir()} == {0o600}


def test_empty_directory_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir(mode=0o755)
    LogDirectory(tmp_path / "audit").close()
    assert mode(tmp_path / "audit") == 0o700


def test_directory_that_others_could_have_filled_is_refused(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "head").touch()
    (tmp_path / "audit").chmod(0o750)
    with pytest.raises(ConfigurationError, match="others may enter"):
        LogDirectory(tmp_path / "audit")


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_directory_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "audit"
    if kind == "file":
        path.touch()
    else:
        path.symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        LogDirectory(path)


def test_directory_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigurationError, match="another user"):
        LogDirectory(tmp_path / "audit")


def test_head_is_replaced_whole(tmp_path: Path) -> None:
    directory = LogDirectory(tmp_path / "audit")
    for seq in range(3):
        directory.write_head(LogHead(seq=seq))
        assert directory.read_head() == LogHead(seq=seq)
    directory.close()
    assert [path.name for path in (tmp_path / "audit").iterdir()] == ["head"]


def test_what_is_set_aside_twice_is_kept_twice(tmp_path: Path) -> None:
    directory = LogDirectory(tmp_path / "audit")
    assert [directory.set_aside(3, b"a"), directory.set_aside(3, b"b")] == ["00000003.torn", "00000003.1.torn"]
    directory.close()
    assert (tmp_path / "audit" / "00000003.1.torn").read_bytes() == b"b"


def test_key_is_made_once(tmp_path: Path) -> None:
    directory = LogDirectory(tmp_path / "audit")
    key = directory.load_key(os.urandom)
    assert len(key) == 32
    assert directory.load_key(lambda count: b"") == key == read_key(tmp_path / "audit")
    directory.close()


@pytest.mark.parametrize(
    ("content", "permissions", "reason"),
    [(b"00" * 32, 0o644, "others may read"), (b"00" * 31, 0o600, "32 bytes"), (b"zz", 0o600, "cannot be read")],
)
def test_unusable_key_is_refused(tmp_path: Path, content: bytes, permissions: int, reason: str) -> None:
    (tmp_path / "hmac.key").write_bytes(content)
    (tmp_path / "hmac.key").chmod(permissions)
    with pytest.raises(ConfigurationError, match=reason):
        read_key(tmp_path)


def test_segment_with_a_second_name_is_not_appended_to(tmp_path: Path) -> None:
    directory = LogDirectory(tmp_path / "audit")
    os.close(directory.create_segment(0))
    os.link(tmp_path / "audit" / "00000000.jsonl", tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="single name"):
        directory.open_segment(0)
    directory.close()
