from __future__ import annotations

import errno
import os

import pytest

from mcp_server.resources.kernel.close_range import CloseRange
from tests.support.bare_child import run_bare


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.fixture
def descriptors() -> list[int]:
    """Three in a row, far above those in use."""
    return [os.dup2(2, number, inheritable=True) for number in (900, 901, 902)]


def test_closes_what_is_in_the_range_and_nothing_else(descriptors: list[int]) -> None:
    CloseRange().close(901, 901)
    assert [is_open(each) for each in descriptors] == [True, False, True]
    CloseRange().close(900, 950)
    assert [is_open(each) for each in descriptors] == [False, False, False]


def test_marks_what_is_in_the_range(descriptors: list[int]) -> None:
    CloseRange().close_on_exec(901, 950)
    assert [os.get_inheritable(each) for each in descriptors] == [True, False, False]
    CloseRange().close(900, 902)


@pytest.mark.parametrize(("first", "last"), [(-1, 5), (5, 4), (3, 1 << 32), (-2, -1)])
def test_what_is_no_range_is_refused(first: int, last: int) -> None:
    for function in (CloseRange().close, CloseRange().close_on_exec):
        with pytest.raises(ValueError, match="begins at 0 or above"):
            function(first, last)


WITHOUT = """
import errno, os
from mcp_server.resources.isolation.bpf_assembler import BPFAssembler
from mcp_server.resources.kernel.close_range import CloseRange
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.seccomp import Seccomp

number, flagged = int(sys.argv[1]), sys.argv[2] == "flagged"
assembler = BPFAssembler()
assembler.ld(0)
assembler.jeq(436, None, "allow")
if flagged:
    assembler.ld(32)  # the flags
    assembler.jeq(0, "allow")
assembler.ret(0x50000 | number)
assembler.label("allow")
assembler.ret(0x7FFF0000)
if number:
    Prctl().set_no_new_privs()
    Seccomp().install(assembler.assemble())
for each in (900, 901, 902):
    os.dup2(2, each, inheritable=True)
try:
    CloseRange().close_on_exec(901)
    print(*(os.get_inheritable(each) for each in (2, 900, 901, 902)))
    CloseRange().close(3)
    print(*sorted(os.listdir("/proc/self/fd")))
except OSError as error:
    print(errno.errorcode[error.errno])
"""
CLOSED = ["True True False False", "0 1 2 3"]  # 3 is the list itself


@pytest.mark.parametrize("number", [0, errno.ENOSYS, errno.EPERM])
def test_without_the_call_it_does_the_same(number: int) -> None:
    assert run_bare(WITHOUT, number, "all").splitlines() == CLOSED


def test_without_the_flag_it_does_the_same() -> None:
    assert run_bare(WITHOUT, errno.EINVAL, "flagged").splitlines() == CLOSED


def test_another_refusal_arrives() -> None:
    assert run_bare(WITHOUT, errno.EMFILE, "all").splitlines() == ["EMFILE"]
