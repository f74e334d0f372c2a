"""What a broker gives up, and in which order; that it holds is tried in tests/security/broker."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.broker import confinement
from mcp_server.resources.broker.confinement import Confinement
from mcp_server.resources.filesystem.root import Root
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.kernel.landlock import (
    ACCESS_FS_EXECUTE,
    ACCESS_FS_IOCTL_DEV,
    ACCESS_FS_MAKE_BLOCK,
    ACCESS_FS_MAKE_CHAR,
    ACCESS_FS_READ_DIR,
    ACCESS_FS_READ_FILE,
    ACCESS_FS_REFER,
    ACCESS_FS_TRUNCATE,
    ACCESS_FS_WRITE_FILE,
    Landlock,
)


class Told:
    """Notes what it is told, in the place of the system calls."""

    def __init__(self, abi: int, *, refuses: str = "") -> None:
        self.abi = abi
        self.refuses = refuses
        self.calls: list[tuple[str, Any]] = []

    def _call(self, name: str, what: Any = None) -> None:
        if name == self.refuses:
            raise OSError("refused")
        self.calls.append((name, what))

    def set_no_new_privs(self) -> None:
        self._call("no_new_privs")

    def create_ruleset(self, **handled: int) -> int:
        self._call("ruleset", handled)
        return os.open("/", os.O_PATH)

    def add_path(self, ruleset: int, path: int, access: int) -> None:
        self._call("path", (path, access))

    def restrict_self(self, ruleset: int) -> None:
        self._call("restrict")

    def install(self, program: bytes) -> None:
        self._call("filter", program)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    lowered: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", lowered.__setitem__)
    monkeypatch.setattr(confinement.os, "listdir", lambda path: ["1"])
    return lowered


@pytest.fixture
def roots(tmp_path: Path) -> list[Root]:
    for name in ("written", "read"):
        (tmp_path / name).mkdir()
    return [Root(RootConfig(tmp_path / "written")), Root(RootConfig(tmp_path / "read", writable=False))]


def confined(told: Told, roots: list[Root]) -> None:
    doors: Any = told
    Confinement(prctl=doors, landlock=doors, seccomp=doors).apply(roots, max_file_bytes=1000)


@pytest.mark.parametrize("abi", range(2, 12))
def test_the_folders_and_nothing_else(abi: int, roots: list[Root], limits: dict[int, Any]) -> None:
    told = Told(abi)
    confined(told, roots)
    assert [name for name, _ in told.calls] == ["no_new_privs", "ruleset", "path", "path", "restrict", "filter"]
    handled = told.calls[1][1]
    assert handled["handled_fs"] == Landlock.fs_rights(abi)
    assert handled["handled_net"] == Landlock.net_rights(abi)
    assert handled["scoped"] == Landlock.scopes(abi)
    (written, may_write), (read, may_read) = told.calls[2][1], told.calls[3][1]
    assert (written, read) == tuple(root.fd for root in roots)
    assert may_read == ACCESS_FS_READ_FILE | ACCESS_FS_READ_DIR
    assert may_write & ACCESS_FS_WRITE_FILE
    assert may_write & ACCESS_FS_REFER
    assert bool(may_write & ACCESS_FS_TRUNCATE) == (abi >= 3)
    for never in (ACCESS_FS_EXECUTE, ACCESS_FS_MAKE_CHAR, ACCESS_FS_MAKE_BLOCK, ACCESS_FS_IOCTL_DEV):
        assert not (may_write | may_read) & never
    # The kernel refuses a rule with rights that it does not know.
    assert not (may_write | may_read) & ~Landlock.fs_rights(abi)


def test_limits_are_lowered_for_good(roots: list[Root], limits: dict[int, tuple[int, int]]) -> None:
    confined(Told(7), roots)
    assert set(limits) == {
        resource.RLIMIT_CORE,
        resource.RLIMIT_NOFILE,
        resource.RLIMIT_DATA,
        resource.RLIMIT_FSIZE,
    }
    assert limits[resource.RLIMIT_CORE] == (0, 0)
    assert all(soft == hard for soft, hard in limits.values())
    assert limits[resource.RLIMIT_FSIZE][0] <= 1000


@pytest.mark.parametrize("barrier", ["no_new_privs", "ruleset", "path", "restrict", "filter"])
def test_what_cannot_be_put_up_is_an_error(barrier: str, roots: list[Root], limits: dict[int, Any]) -> None:
    with pytest.raises(OSError, match="refused"):
        confined(Told(7, refuses=barrier), roots)


def test_a_second_thread_would_stay_outside(
    roots: list[Root], limits: dict[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confinement.os, "listdir", lambda path: ["1", "2"])
    told = Told(7)
    with pytest.raises(OSError, match="one thread"):
        confined(told, roots)
    assert told.calls == []


@pytest.mark.parametrize(
    ("abi", "machine", "words"),
    [(0, "x86_64", "no Landlock"), (1, "x86_64", r"5\.19"), (7, "riscv64", "riscv64"), (-1, "aarch64", "no Landlock")],
)
def test_where_it_cannot_be_had_it_says_why(abi: int, machine: str, words: str) -> None:
    import re

    assert re.search(words, Confinement.problem(abi=abi, machine=machine) or "")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("abi", [2, 7, 20])
def test_where_it_can_be_had_there_is_no_problem(abi: int, machine: str) -> None:
    assert Confinement.problem(abi=abi, machine=machine) is None
