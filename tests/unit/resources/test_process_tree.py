from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.resources.process_tree import ProcessTree


@pytest.fixture
def family() -> Iterator[tuple[int, int, int]]:
    """Start a shell with a child and a grandchild, and return their process ids."""
    # Each shell stops itself, so that it does not end by itself when its child does.
    script = "sh -c 'sleep 1000 & echo $!; kill -STOP $$' & echo $!; kill -STOP $$"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child, grandchild = sorted(int(process.stdout.readline()) for _ in range(2))
        yield process.pid, child, grandchild
        ProcessTree().kill_descendants(process.pid)
        process.kill()


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def wait_for_end(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    import select

    assert select.select([descriptor], [], [], 10)[0], "the process did not end"
    os.close(descriptor)


def test_descendants_are_found_with_parents_before_their_children(family: tuple[int, int, int]) -> None:
    root, child, grandchild = family
    assert ProcessTree().descendants(root) == [child, grandchild]
    assert ProcessTree().descendants(child) == [grandchild]
    assert ProcessTree().descendants(grandchild) == []
    assert {root, child, grandchild} <= set(ProcessTree().descendants(os.getpid()))


def test_all_descendants_are_killed_and_nobody_else(family: tuple[int, int, int]) -> None:
    root, child, grandchild = family
    assert ProcessTree().kill_descendants(child) == 1
    wait_for_end(grandchild)
    assert not is_alive(grandchild)
    assert is_alive(root)


def test_killing_where_there_is_nobody_is_harmless(family: tuple[int, int, int]) -> None:
    grandchild = family[2]
    assert ProcessTree().kill_descendants(grandchild) == 0
    assert is_alive(grandchild)


def test_our_own_children_are_reaped() -> None:
    # A child of this process alone: the other children of whoever runs the tests are left alone.
    process = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; kill -STOP $$"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    ProcessTree().kill_descendants(process.pid)
    wait_for_end(grandchild)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()


def test_without_a_process_file_system_nobody_is_found(tmp_path: Path) -> None:
    tree = ProcessTree(proc=tmp_path)
    assert tree.descendants(os.getpid()) == []
    assert tree.kill_descendants(os.getpid()) == 0


def test_children_of_every_thread_are_found(tmp_path: Path) -> None:
    for thread, children in (("10", "11 12 "), ("13", "14")):
        task = tmp_path / "10" / "task" / thread
        task.mkdir(parents=True)
        (task / "children").write_text(children)
    (tmp_path / "10" / "task" / "15").mkdir()
    assert sorted(ProcessTree(proc=tmp_path).descendants(10)) == [11, 12, 14]


def test_a_process_that_forks_while_it_is_killed_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tmp_path / "10" / "task" / "10"
    task.mkdir(parents=True)
    children = task / "children"
    children.write_text("11")
    killed: list[int] = []

    def kill(pid: int, number: int) -> None:
        killed.append(pid)
        children.write_text("12" if pid == 11 else "")

    monkeypatch.setattr(os, "kill", kill)
    monkeypatch.setattr(os, "waitpid", lambda pid, flags: (_ for _ in ()).throw(ChildProcessError()))
    assert ProcessTree(proc=tmp_path).kill_descendants(10) == 2
    assert killed == [11, 12]
