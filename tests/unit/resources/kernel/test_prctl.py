from __future__ import annotations

import errno
import signal
from pathlib import Path

import pytest

from mcp_server.resources.kernel.prctl import Prctl
from tests.support.bare_child import run_bare

SET = """
import os, signal
from mcp_server.resources.kernel.prctl import Prctl

prctl = Prctl()
print(prctl.has_no_new_privs(), prctl.is_dumpable(), prctl.is_child_subreaper(), prctl.parent_death_signal())
prctl.set_no_new_privs()
prctl.set_dumpable(False)
prctl.set_child_subreaper(True)
prctl.set_parent_death_signal(signal.SIGKILL)
print(prctl.has_no_new_privs(), prctl.is_dumpable(), prctl.is_child_subreaper(), prctl.parent_death_signal())
prctl.set_dumpable(True)
prctl.set_child_subreaper(False)
prctl.set_parent_death_signal(0)
print(prctl.has_no_new_privs(), prctl.is_dumpable(), prctl.is_child_subreaper(), prctl.parent_death_signal())
"""


def test_what_is_set_is_told() -> None:
    assert run_bare(SET).splitlines() == ["False True False 0", "True False True 9", "True True False 0"]


ORPHAN = """
import os
from mcp_server.resources.kernel.prctl import Prctl

Prctl().set_child_subreaper(sys.argv[1] == "reaper")
reaper = os.getpid()
reading, writing = os.pipe()
keeping, letting_go = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os.close(letting_go)
        os.read(keeping, 1)  # until the parent in between has ended, and the first lets go
        os.write(writing, b"mine" if os.getppid() == reaper else b"other")
    os._exit(0)
os.wait()
os.close(letting_go)
print(os.read(reading, 9).decode())
"""


@pytest.mark.parametrize(("how", "whose"), [("reaper", "mine"), ("none", "other")])
def test_orphans_come_to_the_reaper(how: str, whose: str) -> None:
    assert run_bare(ORPHAN, how).strip() == whose


DEATH = """
import os, signal
from mcp_server.resources.kernel.prctl import Prctl

prctl = Prctl()
prctl.set_child_subreaper(True)
reading, writing = os.pipe()
middle = os.fork()
if middle == 0:
    child = os.fork()
    if child == 0:
        prctl.set_parent_death_signal(signal.SIGKILL)
        os.write(writing, os.getpid().to_bytes(4, "little"))
        while True:
            signal.pause()
    # It ends when the child has said that it is ready.
    os.write(writing, os.read(reading, 4))
    os._exit(0)
os.waitpid(middle, 0)
child = int.from_bytes(os.read(reading, 4), "little")
print(os.WTERMSIG(os.waitpid(child, 0)[1]))
"""


def test_the_signal_comes_when_the_parent_ends() -> None:
    assert int(run_bare(DEATH)) == signal.SIGKILL


CAPABILITIES = """
from mcp_server.resources.kernel.prctl import Prctl

prctl = Prctl()
def bounding():
    with open("/proc/self/status") as status:
        return int(status.read().split("CapBnd:")[1].split()[0], 16)
assert [number for number in range(64) if bounding() >> number & 1] == [
    number for number in range(41) if prctl.is_in_bounding_set(number)
]
prctl.clear_ambient()
assert not prctl.is_ambient(0)
try:
    prctl.drop_from_bounding_set(21)
    assert not prctl.is_in_bounding_set(21) and not bounding() >> 21 & 1
    print("dropped")
except PermissionError:
    print("denied")
"""


def test_the_bounding_set_is_what_the_kernel_says() -> None:
    # Dropping takes CAP_SETPCAP, which is bit 8.
    status = Path("/proc/self/status").read_text()
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    assert run_bare(CAPABILITIES).strip() == ("dropped" if effective >> 8 & 1 else "denied")


def test_the_kernels_refusals_arrive() -> None:
    for refused in (
        lambda: Prctl().is_in_bounding_set(99),
        lambda: Prctl().is_ambient(99),
        lambda: Prctl().set_parent_death_signal(999),
    ):
        with pytest.raises(OSError, match="Invalid argument") as caught:
            refused()
        assert caught.value.errno == errno.EINVAL
