from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.resources.kernel.cgroup_v1 import CgroupV1
from tests.support.cgroup_members import COUNTER, DAEMONS, EATER, RACERS, member

MEBIBYTES = 1 << 20

# Where nobody lets this process make groups there is nothing to try, and that is reported with the results.
REAL = [found for found in [CgroupV1.find()] if found is not None]


@pytest.fixture(params=REAL, ids=["real"] * len(REAL))
def group(request: pytest.FixtureRequest) -> Iterator[CgroupV1]:
    made: CgroupV1 = request.param.make(f"test-{os.urandom(8).hex()}")
    yield made
    if os.path.exists(made.path):
        made.kill()
        made.remove()


def value(group: CgroupV1, controller: str, name: str) -> str:
    return group._directories[controller].read(name).strip()


def test_a_new_group_is_empty_and_can_be_removed(group: CgroupV1) -> None:
    assert group.pids() == []
    assert group.oom_kills() == 0
    assert {"memory", "pids"} <= group.controllers
    assert os.path.isdir(group.path)
    group.remove()
    assert not os.path.exists(group.path)
    group.remove()


def test_members_are_told(group: CgroupV1) -> None:
    with member(group, DAEMONS) as process:
        assert group.pids()[0] == process.pid
        for controller in group.controllers:
            assert str(process.pid) in value(group, controller, "cgroup.procs").split()
    with pytest.raises(ProcessLookupError):
        group.add(2**22 + 1)


def test_too_much_memory_kills(group: CgroupV1) -> None:
    group.set_memory_max(32 * MEBIBYTES)
    with member(group, EATER) as process:
        assert process.wait(60) == -signal.SIGKILL
    assert group.oom_kills() == 1
    peak = group.memory_peak_bytes()
    assert peak is not None
    assert MEBIBYTES < peak <= 32 * MEBIBYTES


def test_enough_memory_does_not(group: CgroupV1) -> None:
    group.set_memory_max(256 * MEBIBYTES)
    with member(group, EATER) as process:
        assert process.communicate(timeout=60)[0] == b"%d\n" % (64 * MEBIBYTES)
    assert group.oom_kills() == 0
    assert (group.memory_peak_bytes() or 0) >= 64 * MEBIBYTES


def test_memory_is_limited_with_its_swap_up_and_down(group: CgroupV1) -> None:
    for size in (64, 16, 128, 128):
        group.set_memory_max(size * MEBIBYTES)
        assert int(value(group, "memory", "memory.limit_in_bytes")) == size * MEBIBYTES
        if group._directories["memory"].has("memory.memsw.limit_in_bytes"):
            assert int(value(group, "memory", "memory.memsw.limit_in_bytes")) == size * MEBIBYTES


def test_too_many_processes_are_not_started(group: CgroupV1) -> None:
    group.set_pids_max(8)
    with member(group, COUNTER) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"7 Resource temporarily unavailable\n"
        assert len(group.pids()) == 8
        group.kill()


def test_processor_time_is_limited(group: CgroupV1) -> None:
    group.set_cpu_max(25_000, 50_000)
    if "cpu" in group.controllers:
        assert value(group, "cpu", "cpu.cfs_quota_us") == "25000"
        assert value(group, "cpu", "cpu.cfs_period_us") == "50000"
    with pytest.raises(OSError, match="Invalid argument"):
        group.set_pids_max(-5)


def test_killing_finds_those_who_hide(group: CgroupV1) -> None:
    with member(group, DAEMONS) as process:
        assert process.stdout is not None
        assert process.stdout.read(9) == b"." * 9
        assert len(group.pids()) == 9
        group.kill()
        assert group.pids() == []
        assert process.wait(60) == -signal.SIGKILL


def test_killing_is_faster_than_starting(group: CgroupV1) -> None:
    group.set_pids_max(40)
    with member(group, RACERS) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        group.kill()
    assert group.pids() == []
    # And nobody starts anything afterwards.
    assert value(group, "pids", "pids.max") == "0"


def test_what_is_in_use_is_not_removed(group: CgroupV1) -> None:
    with member(group, DAEMONS):
        with pytest.raises(TimeoutError, match="still in use"):
            group.remove(timeout_seconds=0)
        group.kill()


def test_a_name_that_is_taken_leaves_nothing_behind(group: CgroupV1) -> None:
    taken = group._directories["pids"].child("taken")
    taken.make()
    with pytest.raises(FileExistsError):
        group.make("taken")
    assert [each for each in group.controllers if group._directories[each].child("taken").has("")] == ["pids"]
    taken.remove()


def test_this_machine_is_told_apart() -> None:
    found = CgroupV1.find()
    assert (found is None) == (not REAL)
    if found is not None:
        # Trying left nothing.
        assert [name for name in os.listdir(found.path) if name.startswith("probe-")] == []


def lay_out(tmp_path: Path, *, groups: str, mounts: list[tuple[str, str, str]]) -> str:
    (tmp_path / "cgroup").write_text(groups)
    lines = [
        f"{number} 1 0:{number} {root} {tmp_path}/{place} rw - cgroup cgroup rw,{options}\n"
        for number, (root, place, options) in enumerate(mounts)
    ]
    (tmp_path / "mountinfo").write_text("".join(lines))
    return str(tmp_path)


GROUPS = "3:pids:/x\n2:memory:/x\n1:cpu,cpuacct:/x\n0::/x\n"


def test_finds_the_group_in_each_hierarchy(tmp_path: Path) -> None:
    mounts = [("/", "memory", "memory"), ("/x", "pids", "pids"), ("/", "both", "cpu,cpuacct")]
    for place in ("memory/x", "pids", "both/x"):
        (tmp_path / place).mkdir(parents=True)
    found = CgroupV1.find(proc=lay_out(tmp_path, groups=GROUPS, mounts=mounts))
    assert found is not None
    assert {name: directory.path for name, directory in found._directories.items()} == {
        "memory": f"{tmp_path}/memory/x",
        "pids": f"{tmp_path}/pids",
        "cpu": f"{tmp_path}/both/x",
    }
    child = found.make("a")
    assert (tmp_path / "both/x/a").is_dir()
    child.remove()


def test_controllers_may_share_a_hierarchy(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    groups = "1:memory,pids,cpu:/\n"
    found = CgroupV1.find(proc=lay_out(tmp_path, groups=groups, mounts=[("/", "all", "memory,pids,cpu")]))
    assert found is not None
    assert found.controllers == {"memory", "pids", "cpu"}
    found.make("a").remove()


@pytest.mark.parametrize(
    "mounts",
    [
        [],
        [("/", "memory", "memory")],
        [("/", "memory", "memory"), ("/y", "pids", "pids")],
        [("/", "memory", "memory"), ("/", "absent", "pids")],
    ],
    ids=["none mounted", "one missing", "outside the mount", "not to be made"],
)
def test_without_both_controllers_there_is_none(tmp_path: Path, mounts: list[tuple[str, str, str]]) -> None:
    for place in ("memory/x", "pids/x"):
        (tmp_path / place).mkdir(parents=True)
    assert CgroupV1.find(proc=lay_out(tmp_path, groups=GROUPS, mounts=mounts)) is None
    assert list((tmp_path / "memory/x").iterdir()) == []


def test_without_control_groups_there_is_none(tmp_path: Path) -> None:
    assert CgroupV1.find(proc=str(tmp_path)) is None
