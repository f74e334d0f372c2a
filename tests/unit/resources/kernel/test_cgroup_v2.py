from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.resources.kernel.cgroup_directory import CgroupDirectory, mounted_groups, own_groups, place_in
from mcp_server.resources.kernel.cgroup_v2 import CgroupV2
from tests.support.cgroup_members import COUNTER, DAEMONS, EATER, RACERS, member

MEBIBYTES = 1 << 20


def real_groups() -> list[CgroupV2]:
    """Return this process's own group if groups can be made below it, with controllers or without."""
    mounts = mounted_groups("/proc/self", "cgroup2")
    places = [place_in(own_groups("/proc/self").get("", ".."), *mount[:2]) for mount in mounts]
    groups = [CgroupV2(place) for place in places if place is not None]
    found = []
    for group in groups:
        try:
            group.make(f"test-{os.urandom(8).hex()}").remove()
        except OSError:
            continue
        found.append(group)
    return found


def gives_controllers(group: CgroupV2) -> bool:
    with open(os.path.join(group.path, "cgroup.subtree_control"), encoding="ascii") as file:
        return {"memory", "pids"} <= set(file.read().split())


# Where nobody lets this process make groups there is nothing to try, and that is reported with the results. The same
# for limits, where version 1 has the controllers, or where the group that is ours gives none to those below.
REAL = real_groups()[:1]
LIMITED = [group for group in REAL if gives_controllers(group)]


def made(parent: CgroupV2) -> Iterator[CgroupV2]:
    group = parent.make(f"test-{os.urandom(8).hex()}")
    yield group
    if os.path.exists(group.path):
        group.kill()
        group.remove()


@pytest.fixture(params=REAL, ids=["real"] * len(REAL))
def group(request: pytest.FixtureRequest) -> Iterator[CgroupV2]:
    yield from made(request.param)


@pytest.fixture(params=LIMITED, ids=["limited"] * len(LIMITED))
def limited(request: pytest.FixtureRequest) -> Iterator[CgroupV2]:
    yield from made(request.param)


def test_a_new_group_is_empty_and_can_be_removed(group: CgroupV2) -> None:
    assert group.pids() == []
    group.remove()
    assert not os.path.exists(group.path)
    group.remove()


def test_members_are_told(group: CgroupV2) -> None:
    with member(group, DAEMONS) as process:
        assert group.pids()[0] == process.pid
    with pytest.raises(ProcessLookupError):
        group.add(2**22 + 1)


@pytest.mark.parametrize("at_once", [True, False])
def test_killing_finds_those_who_hide(group: CgroupV2, monkeypatch: pytest.MonkeyPatch, at_once: bool) -> None:
    # As before Linux 5.14, when the kernel did not do it itself.
    has = CgroupDirectory.has
    monkeypatch.setattr(CgroupDirectory, "has", lambda self, name: has(self, name) and (at_once or "kill" not in name))
    with member(group, DAEMONS) as process:
        assert process.stdout is not None
        assert process.stdout.read(9) == b"." * 9
        assert len(group.pids()) == 9
        group.kill()
        assert group.pids() == []
        assert process.wait(60) == -signal.SIGKILL


def test_killing_reaches_groups_below(group: CgroupV2) -> None:
    below = group.make("below")
    with member(below, DAEMONS) as process:
        assert process.stdout is not None
        assert process.stdout.read(9) == b"." * 9
        with pytest.raises(TimeoutError, match="still in use"):
            group.remove(timeout_seconds=0)
        group.kill()
        assert below.pids() == []
        assert process.wait(60) == -signal.SIGKILL
    below.remove()


def test_members_move_when_the_group_settles(group: CgroupV2) -> None:
    with member(group, DAEMONS) as process:
        assert process.stdout is not None
        assert process.stdout.read(9) == b"." * 9
        before = set(group.pids())
        if {"memory", "pids"} <= group.controllers:
            assert set(group.settle("main").pids()) == before
            assert gives_controllers(group)
        else:
            # It says so rather than to make groups without limits.
            with pytest.raises(OSError, match=r"Invalid argument|No such file"):
                group.settle("main")
        assert group.pids() == []
        assert set(CgroupV2(f"{group.path}/main").pids()) == before
        group.kill()
    CgroupV2(f"{group.path}/main").remove()


def test_too_much_memory_kills(limited: CgroupV2) -> None:
    limited.set_memory_max(32 * MEBIBYTES)
    with member(limited, EATER) as process:
        assert process.wait(60) == -signal.SIGKILL
    assert limited.oom_kills() == 1
    assert MEBIBYTES < (limited.memory_peak_bytes() or 32 * MEBIBYTES) <= 32 * MEBIBYTES


def test_too_many_processes_are_not_started(limited: CgroupV2) -> None:
    limited.set_pids_max(8)
    with member(limited, COUNTER) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"7 Resource temporarily unavailable\n"
        limited.kill()


def test_killing_is_faster_than_starting(limited: CgroupV2) -> None:
    limited.set_pids_max(40)
    with member(limited, RACERS) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        limited.kill()
    assert limited.pids() == []


# From here on a directory that looks like a group, whose files tell what was written.


@pytest.fixture
def copy(tmp_path: Path) -> CgroupV2:
    files = {
        "cgroup.controllers": "cpuset cpu io memory pids\n",
        "cgroup.events": "populated 0\nfrozen 0\n",
        "cgroup.procs": "",
        "cgroup.subtree_control": "",
        "cpu.max": "max 100000",
        "memory.events": "low 0\nhigh 0\nmax 5\noom 2\noom_kill 3\noom_group_kill 1\n",
        "memory.max": "max",
        "memory.oom.group": "0",
        "memory.peak": "4096\n",
        "memory.swap.max": "max",
        "pids.max": "max",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return CgroupV2(str(tmp_path))


def test_limits_are_written(copy: CgroupV2, tmp_path: Path) -> None:
    copy.set_memory_max(64 * MEBIBYTES)
    copy.set_pids_max(1000)
    copy.set_cpu_max(150_000)
    assert (tmp_path / "memory.max").read_text() == "67108864"
    assert (tmp_path / "memory.swap.max").read_text().startswith("0")
    assert (tmp_path / "memory.oom.group").read_text() == "1"
    assert (tmp_path / "pids.max").read_text() == "1000"
    assert (tmp_path / "cpu.max").read_text() == "150000 100000"


def test_a_missing_controller_is_an_error_and_a_missing_nicety_is_not(copy: CgroupV2, tmp_path: Path) -> None:
    for name in ("memory.swap.max", "memory.oom.group", "memory.peak", "cpu.max"):
        (tmp_path / name).unlink()
    copy.set_memory_max(1)
    copy.set_cpu_max(1000)
    assert copy.memory_peak_bytes() is None
    for name, refused in (("memory.max", copy.set_memory_max), ("pids.max", copy.set_pids_max)):
        (tmp_path / name).unlink()
        with pytest.raises(FileNotFoundError):
            refused(1)


def test_use_is_read(copy: CgroupV2) -> None:
    assert copy.memory_peak_bytes() == 4096
    assert copy.oom_kills() == 3
    assert copy.controllers == {"cpuset", "cpu", "io", "memory", "pids"}


def test_killing_is_one_write(copy: CgroupV2, tmp_path: Path) -> None:
    (tmp_path / "cgroup.kill").write_text("")
    copy.kill()
    assert (tmp_path / "cgroup.kill").read_text() == "1"
    assert (tmp_path / "pids.max").read_text() == "max"


def test_without_that_file_starting_is_stopped_first(copy: CgroupV2, tmp_path: Path) -> None:
    copy.kill()
    assert (tmp_path / "pids.max").read_text().startswith("0")


def test_settling_moves_and_gives(copy: CgroupV2, tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text("17\n")
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "cgroup.procs").write_text("")
    assert copy.settle("main").path == str(tmp_path / "main")
    assert (tmp_path / "main" / "cgroup.procs").read_text() == "17"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"


def process_in(tmp_path: Path, group: str = "0::/a\n", root: str = "/") -> str:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cgroup").write_text(group)
    (tmp_path / "proc" / "mountinfo").write_text(f"9 1 0:9 {root} {tmp_path}/mount rw - cgroup2 cgroup2 rw\n")
    return str(tmp_path / "proc")


def lay_out(place: Path, controllers: str) -> None:
    place.mkdir(parents=True)
    (place / "cgroup.controllers").write_text(controllers)
    for name in ("cgroup.procs", "cgroup.subtree_control"):
        (place / name).write_text("")


def test_finds_its_own_group(tmp_path: Path) -> None:
    lay_out(tmp_path / "mount" / "a", "cpu memory pids\n")
    found = CgroupV2.find(proc=process_in(tmp_path))
    assert found is not None
    assert found.path == str(tmp_path / "mount" / "a")
    assert sorted(os.listdir(found.path)) == ["cgroup.controllers", "cgroup.procs", "cgroup.subtree_control"]
    child = found.make("b")
    assert os.path.isdir(child.path)
    child.remove()


def test_finds_its_own_group_in_a_container(tmp_path: Path) -> None:
    lay_out(tmp_path / "mount", "cpu memory pids\n")
    found = CgroupV2.find(proc=process_in(tmp_path, "0::/docker/1\n", "/docker/1"))
    assert found is not None
    assert found.path == str(tmp_path / "mount")


@pytest.mark.parametrize(
    ("controllers", "group"),
    [("hugetlb\n", "0::/a\n"), ("memory\n", "0::/a\n"), ("memory pids\n", "0::/b\n"), ("memory pids\n", "0::/../a\n"),
     ("memory pids\n", "1:pids:/a\n")],
    ids=["none of them", "one missing", "not to be made", "outside", "version 1"],
)  # fmt: skip
def test_without_what_is_needed_there_is_none(tmp_path: Path, controllers: str, group: str) -> None:
    lay_out(tmp_path / "mount" / "a", controllers)
    assert CgroupV2.find(proc=process_in(tmp_path, group)) is None


def test_a_group_that_cannot_settle_is_none(tmp_path: Path) -> None:
    lay_out(tmp_path / "mount" / "a", "memory pids\n")
    (tmp_path / "mount" / "a" / "cgroup.subtree_control").unlink()
    assert CgroupV2.find(proc=process_in(tmp_path)) is None
    assert CgroupV2.find(proc=str(tmp_path)) is None
