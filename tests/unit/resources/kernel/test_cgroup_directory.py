from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.resources.kernel.cgroup_directory import CgroupDirectory, mounted_groups, own_groups, place_in


@pytest.fixture
def group(tmp_path: Path) -> CgroupDirectory:
    (tmp_path / "cgroup.procs").write_text("")
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    return CgroupDirectory(str(tmp_path))


def test_reads_and_writes_what_is_there(group: CgroupDirectory) -> None:
    assert group.read_key("memory.events", "oom_kill") == 2
    assert group.read_key("memory.events", "missing") == 0
    assert group.has("memory.events")
    assert not group.has("pids.max")
    group.write("memory.events", 7)
    assert group.read("memory.events")[0] == "7"


def test_makes_no_file(group: CgroupDirectory) -> None:
    with pytest.raises(FileNotFoundError):
        group.write("pids.max", 7)
    assert not group.has("pids.max")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/", "../a", "a\0"])
def test_a_child_is_one_directory_below(group: CgroupDirectory, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a group"):
        group.child(name)


def test_is_made_and_removed(group: CgroupDirectory) -> None:
    child = group.child("a")
    child.make()
    with pytest.raises(FileExistsError):
        child.make()
    child.remove()
    child.remove()
    assert not os.path.exists(child.path)


def test_what_is_busy_is_tried_until_the_deadline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    times = iter(range(100))
    tries: list[str] = []

    def rmdir(path: str) -> None:
        tries.append(path)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(os, "rmdir", rmdir)
    with pytest.raises(TimeoutError, match="still in use"):
        CgroupDirectory(str(tmp_path), clock=lambda: next(times)).remove(timeout_seconds=3)
    assert len(tries) == 3


def test_another_refusal_arrives(group: CgroupDirectory) -> None:
    # It is a plain directory, with files in it.
    with pytest.raises(OSError, match="not empty"):
        group.remove()


def test_a_process_of_nobody_is_left_alone(group: CgroupDirectory) -> None:
    group.write("cgroup.procs", "0\n")
    assert group.pids() == []
    group.kill_each()
    group.wait_until_empty()


def test_waiting_has_an_end(tmp_path: Path) -> None:
    # A group that goes on listing a process that has ended.
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", ""]) as ended:
        pass
    (tmp_path / "cgroup.procs").write_text(f"{ended.pid}\n")
    times = iter(range(100))
    group = CgroupDirectory(str(tmp_path), clock=lambda: next(times))
    for wait in (group.kill_each, group.wait_until_empty):
        with pytest.raises(TimeoutError, match="did not end"):
            wait(timeout_seconds=3)


def test_groups_below_count_where_the_kernel_tells(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text("")
    (tmp_path / "cgroup.events").write_text("populated 1\nfrozen 0\n")
    with pytest.raises(TimeoutError, match="did not end"):
        CgroupDirectory(str(tmp_path)).wait_until_empty(timeout_seconds=0)


def test_own_groups_are_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("9:name=systemd:/\n4:cpu,cpuacct:/a:b/c\n0::/user.slice\n")
    assert own_groups(str(tmp_path)) == {"name=systemd": "/", "cpu,cpuacct": "/a:b/c", "": "/user.slice"}


def test_mounts_are_those_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text(
        "31 23 0:28 / /sys/fs/cgroup rw shared:4 - tmpfs tmpfs rw\n"
        "32 31 0:29 / /sys/fs/cgroup/cpu rw shared:5 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
        "33 31 0:30 /docker/1 /a\\040b\\134c rw - cgroup cgroup rw,memory\n"
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    assert mounted_groups(str(tmp_path), "cgroup") == [
        ("/", "/sys/fs/cgroup/cpu", {"rw", "cpu", "cpuacct"}),
        ("/docker/1", "/a b\\c", {"rw", "memory"}),
    ]
    assert [mount[:2] for mount in mounted_groups(str(tmp_path), "cgroup2")] == [("/", "/sys/fs/cgroup/unified")]


@pytest.mark.parametrize(
    ("path", "root", "place"),
    [
        ("/", "/", "/mnt"),
        ("/a/b", "/", "/mnt/a/b"),
        ("/docker/1", "/docker/1", "/mnt"),
        ("/docker/1/a", "/docker/1", "/mnt/a"),
        ("/docker/12", "/docker/1", None),
        ("/", "/docker/1", None),
        ("/../a", "/", None),
        ("/a/../../b", "/a", None),
    ],
)
def test_a_place_is_below_its_mount_or_nowhere(path: str, root: str, place: str | None) -> None:
    assert place_in(path, root, "/mnt") == place
