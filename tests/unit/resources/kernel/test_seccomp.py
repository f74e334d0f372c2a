from __future__ import annotations

import errno
import os

import pytest

from mcp_server.resources.kernel.seccomp import Seccomp
from tests.support.bare_child import run_bare

FILTERED = """
import errno, os, threading
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.seccomp import Seccomp

number = {"x86_64": 110, "aarch64": 173}[os.uname().machine]
# Load the number; refuse that one; allow.
steps = "2000000000000000 15000001%s 0600000001000500 060000000000ff7f" % number.to_bytes(4, "little").hex()
program = bytes.fromhex(steps)
import ctypes
library = ctypes.CDLL(None, use_errno=True)
begin, outcomes = threading.Event(), []

def ask():
    result = library.syscall(number)
    return errno.errorcode[ctypes.get_errno()] if result < 0 else "done"

def wait():
    begin.wait()
    outcomes.append(ask())

thread = threading.Thread(target=wait)
thread.start()
outcomes.append(ask())
Prctl().set_no_new_privs()
if sys.argv[1] == "alone":
    Seccomp().install(program)
if sys.argv[1] == "all":
    Seccomp().install(program, all_threads=True)
outcomes.append(ask())
begin.set()
thread.join()
print(*outcomes)
"""


@pytest.mark.parametrize(
    ("how", "outcomes"),
    [("none", "done done done"), ("alone", "done EPERM done"), ("all", "done EPERM EPERM")],
)
def test_a_filter_holds_for_this_thread_or_for_all(how: str, outcomes: str) -> None:
    assert run_bare(FILTERED, how).strip() == outcomes


DIVERGED = """
import errno, threading
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.seccomp import Seccomp

program = bytes.fromhex("060000000000ff7f")
ready, done = threading.Event(), threading.Event()

def go_its_own_way():
    Seccomp().install(program)
    ready.set()
    done.wait()

Prctl().set_no_new_privs()
thread = threading.Thread(target=go_its_own_way)
thread.start()
ready.wait()
try:
    Seccomp().install(program, all_threads=True)
except OSError as error:
    print(errno.errorcode[error.errno])
done.set()
thread.join()
"""


def test_a_thread_with_other_filters_is_not_overruled() -> None:
    assert run_bare(DIVERGED).strip() == "ESRCH"


@pytest.mark.parametrize("program", [b"", bytes(7), bytes(9), bytes(8 * 4097)])
def test_what_is_no_program_is_refused(program: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 4096 instructions of 8 bytes"):
        Seccomp().install(program)


def test_an_invalid_program_is_refused_by_the_kernel() -> None:
    # It ends without a verdict, so nothing is installed.
    with pytest.raises(OSError, match=r"Invalid argument|Permission denied"):
        Seccomp().install(bytes.fromhex("2000000000000000"))


UNPRIVILEGED = """
import errno, os
from mcp_server.resources.kernel.seccomp import Seccomp

door = Seccomp()
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
try:
    door.install(bytes.fromhex("060000000000ff7f"))
except OSError as error:
    print(errno.errorcode[error.errno])
"""


def test_a_filter_needs_no_new_privs() -> None:
    assert run_bare(UNPRIVILEGED).strip() == "EACCES"


def test_a_machine_whose_number_is_not_known_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    name = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result((*name[:4], "riscv64")))
    with pytest.raises(OSError, match="not implemented") as caught:
        Seccomp()
    assert caught.value.errno == errno.ENOSYS
