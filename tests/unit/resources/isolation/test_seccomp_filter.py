from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.isolation import seccomp_filter
from mcp_server.resources.isolation.bpf_assembler import MAX_INSTRUCTIONS
from mcp_server.resources.isolation.seccomp_filter import SeccompFilter
from mcp_server.resources.isolation.syscall_table import SyscallTable
from tests.support import seccomp_attacks
from tests.support.bpf_interpreter import BPFInterpreter
from tests.support.filter_golden import GOLDEN, MACHINES, VERDICTS, lines_of, programs, table

ANY = (0, 1, 0xFFFFFFFF, 1 << 32, (1 << 64) - 1)
HIGH = 0xDEADBEEF << 32  # what a register may hold above an int


class Judge:
    """Asks a filter by the names of calls."""

    def __init__(self, machine: str, program: bytes) -> None:
        self.table = SyscallTable.of(machine)
        self.program = BPFInterpreter(program)

    def __call__(self, name: str | int, *arguments: int) -> str:
        number = self.table.numbers[name] if isinstance(name, str) else name
        return VERDICTS[self.program.run(number, self.table.audit_arch, arguments)]

    def has(self, name: str) -> bool:
        return name in self.table.numbers


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def base(machine: str) -> Judge:
    return Judge(machine, SeccompFilter.base(machine))


@pytest.fixture
def top(machine: str) -> Judge:
    return Judge(machine, SeccompFilter.no_execution(machine))


def reviewed() -> dict[str, dict[int, list[str]]]:
    """Return the reviewed verdicts: by machine and number those of the three filters."""
    found: dict[str, dict[int, list[str]]] = {machine: {} for machine in MACHINES}
    for line in (GOLDEN / "verdicts.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        _name, *cells = line.split()
        for place, machine in enumerate(MACHINES):
            number, *verdicts = cells[place * 4 : place * 4 + 4]
            if number != "-":
                found[machine][int(number)] = verdicts
    return found


def test_every_number_has_the_verdict_that_was_reviewed() -> None:
    golden = reviewed()
    for name, program in programs().items():
        kind, machine = re.fullmatch(r"(.+)-(x86_64|aarch64)\.hex", name).groups()
        judge = Judge(machine, program)
        column = ("base", "base-wide", "no-execution").index(kind)
        for number in range(1024):
            expected = golden[machine].get(number, ["ENOSYS"] * 3)[column].split("/")
            assert [judge(number, *[0] * 6), judge(number, *[-1] * 6)] == [expected[0], expected[-1]], (name, number)


def test_the_table_is_the_reviewed_one() -> None:
    assert table() == (GOLDEN / "verdicts.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(programs()))
def test_the_program_is_the_reviewed_one(name: str) -> None:
    assert lines_of(programs()[name]) == (GOLDEN / name).read_text(encoding="ascii")


def test_the_reviewed_files_are_no_others() -> None:
    assert {file.name for file in GOLDEN.iterdir()} == {*programs(), "verdicts.txt"}


def test_the_programs_are_small() -> None:
    assert {name for name, program in programs().items() if len(program) > MAX_INSTRUCTIONS // 16 * 8} == set()


def test_every_call_that_a_list_names_exists_somewhere() -> None:
    # A call that is misspelt would be left out without a word.
    lists = [
        *seccomp_filter._ALLOWED.values(),
        seccomp_filter._REFUSED,
        seccomp_filter._IPC,
        seccomp_filter._REACHING,
        seccomp_filter._NEW_PROCESS,
        seccomp_filter._MORE_FILTERS,
        " ".join(seccomp_filter._RULED),
    ]
    known = set().union(*(SyscallTable.of(machine).numbers for machine in MACHINES))
    assert {name for each in lists for name in each.split()} <= known


def test_a_call_is_in_one_list() -> None:
    lists = [*seccomp_filter._ALLOWED.values(), seccomp_filter._REFUSED, seccomp_filter._IPC, seccomp_filter._REACHING]
    named = [name for each in [*lists, " ".join(seccomp_filter._RULED)] for name in each.split()]
    assert sorted(set(named)) == sorted(named)


@pytest.mark.parametrize("name", sorted(programs()))
def test_a_call_of_another_architecture_kills(name: str) -> None:
    program = BPFInterpreter(programs()[name])
    own = SyscallTable.of(re.search(r"x86_64|aarch64", name)[0]).audit_arch
    # i386, arm, both machines in big-endian, each other, and nonsense.
    for arch in {0x40000003, 0x40000028, 0x800000B7, 0xC000003E, 0xC00000B7, 0, 0xFFFFFFFF} - {own}:
        for number in range(0, 1024, 7):
            assert VERDICTS[program.run(number, arch)] == "kill"


def test_the_x32_abi_is_unknown() -> None:
    for name, program in programs().items():
        if "x86_64" in name:
            judge = Judge("x86_64", program)
            assert {judge(number | 0x40000000) for number in range(1024)} == {"ENOSYS"}
            # Some old kernels took these without the bit as well.
            assert {judge(number) for number in range(512, 548)} == {"ENOSYS"}


@pytest.mark.parametrize("number", [472, 1024, 0x3FFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_number_that_nobody_knows_is_unknown(base: Judge, top: Judge, number: int) -> None:
    assert base(number) == top(number) == "ENOSYS"


def test_the_dangerous_are_refused_whatever_their_arguments(base: Judge) -> None:
    dangerous = """
        ptrace process_vm_readv process_vm_writev pidfd_getfd bpf perf_event_open keyctl add_key request_key userfaultfd
        mount umount2 move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr pivot_root chroot
        setns unshare kexec_load kexec_file_load init_module finit_module delete_module io_uring_setup io_uring_enter
        io_uring_register reboot swapon swapoff name_to_handle_at open_by_handle_at settimeofday clock_settime iopl
        ioperm fanotify_init quotactl syslog acct connect bind listen accept accept4 socket shmget shmat mq_open msgget
        semget
    """
    for name in filter(base.has, dangerous.split()):
        assert {base(name, *[word] * 6) for word in ANY} == {"EPERM"}, name
    for name in ("openat2", "clone3"):
        assert {base(name, *[word] * 6) for word in ANY} == {"ENOSYS"}, name


def test_what_is_needed_to_give_up_more_is_left(base: Judge) -> None:
    needed = """
        landlock_create_ruleset landlock_add_rule landlock_restrict_self seccomp execve execveat fork vfork setrlimit
        close_range pidfd_open wait4 setsid
    """
    for name in filter(base.has, needed.split()):
        assert {base(name, *[word] * 6) for word in ANY} == {"allow"}, name
    assert base("prctl", 38, 1) == base("prctl", 22, 2) == "allow"


@pytest.mark.parametrize("bit", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
def test_clone_makes_no_namespace(base: Judge, bit: int) -> None:
    assert base("clone", bit) == base("clone", HIGH | bit | 17) == "EPERM"


def test_clone_makes_threads_and_processes(base: Judge) -> None:
    # What pthread_create, fork and vfork pass.
    assert [base("clone", flags) for flags in (0x3D0F00, 0x1200011, 0x4111, HIGH | 17)] == ["allow"] * 4


@pytest.mark.parametrize("request_number", [0x5412, 0x541C, 0x5423])
def test_ioctl_attacks_no_terminal(base: Judge, request_number: int) -> None:
    assert base("ioctl", 0, request_number) == base("ioctl", 0, HIGH | request_number) == "EPERM"
    assert base("ioctl", request_number, 0x5401) == base("ioctl", 0, 0x5413) == base("ioctl", 0, 0x5451) == "allow"


def test_prctl_leaves_the_map_of_memory_alone(base: Judge, top: Judge) -> None:
    assert base("prctl", 35) == base("prctl", HIGH | 35) == "EPERM"
    assert [base("prctl", option) for option in (1, 4, 15, 22, 23, 36, 38, 47)] == ["allow"] * 8
    assert top("prctl", 22) == top("prctl", HIGH | 22) == "EPERM"
    assert top("prctl", 38) == "allow"


@pytest.fixture
def connecting(machine: str) -> Judge:
    return Judge(machine, SeccompFilter.connect_only(machine))


def test_what_may_connect_may_do_nothing_else_with_sockets(connecting: Judge) -> None:
    for name in filter(connecting.has, "accept accept4 bind listen".split()):
        assert {connecting(name, *[word] * 6) for word in ANY} == {"EPERM"}, name
    assert {connecting("connect", *[word] * 6) for word in ANY} == {"allow"}
    stream, flags = 1, 0o2004000  # SOCK_CLOEXEC and SOCK_NONBLOCK
    assert [connecting("socket", 2, kind, protocol) for kind in (stream, stream | flags) for protocol in (0, 6)] == [
        "allow"
    ] * 4
    assert connecting("socket", HIGH | 2, HIGH | stream, HIGH) == "allow"
    for family in (0, 1, 3, 10, 16, 17, 40):
        assert connecting("socket", family, stream, 0) == connecting("socket", HIGH | family, stream, 0) == "EPERM"
    for kind in (0, 2, 3, 5, 2 | flags):
        assert connecting("socket", 2, kind, 0) == "EPERM"
    for protocol in (1, 17, 132, 255, 262):
        assert connecting("socket", 2, stream, protocol) == "EPERM"


@pytest.mark.parametrize(("name", "place"), [("sendto", 3), ("sendmsg", 2), ("sendmmsg", 3)])
def test_sending_does_not_connect(connecting: Judge, name: str, place: int) -> None:
    before = [0xFFFFFFFF] * place
    assert connecting(name, *before, 0x20000000) == connecting(name, *before, HIGH | 0x20004000) == "EPERM"
    assert connecting(name, *before, 0x4000) == connecting(name, *before, 0x20000000 << 32) == "allow"


def test_a_connection_speaks_no_protocol_of_the_kernels(connecting: Judge) -> None:
    assert connecting("setsockopt", 3, 6, 31) == connecting("setsockopt", 3, HIGH | 6, HIGH | 31) == "EPERM"
    assert [connecting("setsockopt", 3, *each) for each in ((6, 1), (1, 31), (0, 31), (31, 6))] == ["allow"] * 4


def test_on_top_for_what_connects_everything_else_is_as_below(connecting: Judge, base: Judge) -> None:
    ruled = set("accept accept4 bind listen socket setsockopt sendto sendmsg sendmmsg".split())
    for name in set(base.table.numbers) - ruled:
        assert connecting(name, *[0xFFFFFFFF] * 6) == "allow", name
    assert connecting(1024) == "ENOSYS"


MODES = [("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("fchmodat2", 2), ("creat", 1), ("mknod", 1), ("mknodat", 2)]


@pytest.mark.parametrize(("name", "place"), MODES)
@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6000, 0o4000, 0o2000, HIGH | 0o4000, 0o7777])
def test_no_mode_carries_another_user(base: Judge, name: str, place: int, mode: int) -> None:
    assert not base.has(name) or base(name, *[0] * place, mode) == "EPERM"


@pytest.mark.parametrize(("name", "place"), MODES)
@pytest.mark.parametrize("mode", [0o644, 0o1777, 0, HIGH])
def test_other_modes_are_free(base: Judge, name: str, place: int, mode: int) -> None:
    # The bits are looked for in the mode only.
    around = [0o6000] * 6
    around[place] = mode
    assert not base.has(name) or base(name, *around) == "allow"


@pytest.mark.parametrize(("name", "place"), [("open", 1), ("openat", 2)])
def test_open_looks_at_the_mode_when_it_creates(base: Judge, name: str, place: int) -> None:
    if base.has(name):
        before = [0o6000] * place
        for creating in (0o100, 0o101, 0o20200000, HIGH | 0o100):
            assert base(name, *before, creating, 0o4755) == base(name, *before, creating, HIGH | 0o2000) == "EPERM"
            assert base(name, *before, creating, 0o1755) == "allow"
        for opening in (0, 1, 0o2000000, 0o200000, HIGH):
            assert base(name, *before, opening, 0o7777) == "allow"


@pytest.mark.parametrize(("name", "place"), [("mknod", 1), ("mknodat", 2)])
def test_mknod_makes_no_device(base: Judge, name: str, place: int) -> None:
    if base.has(name):
        kinds = {kind: base(name, *[0] * place, kind << 12 | 0o644) for kind in range(16)}
        assert {kind for kind, verdict in kinds.items() if verdict == "allow"} == {
            0, stat.S_IFREG >> 12, stat.S_IFIFO >> 12, stat.S_IFSOCK >> 12,
        }  # fmt: skip
        assert base(name, *[0] * place, HIGH | stat.S_IFCHR) == "EPERM"


def test_limits_are_set_for_oneself_only(base: Judge) -> None:
    assert base("prlimit64", 0, 7, 0x1000, 0) == base("prlimit64", HIGH, 7, 0x1000, 0) == "allow"
    assert base("prlimit64", 1234, 7, 0, 0x1000) == "allow"
    assert base("prlimit64", 1234, 7, 0x1000, 0) == base("prlimit64", 1234, 7, 1 << 32, 0) == "EPERM"


def test_personality_is_asked_for(base: Judge) -> None:
    assert base("personality", 0xFFFFFFFF) == base("personality", 0) == base("personality", HIGH) == "allow"
    assert {base("personality", each) for each in (1, 8, 0x40000, 0x400000, 0x20000, 0xFFFFFFFE)} == {"EPERM"}


def test_a_memory_file_cannot_be_executed(base: Judge) -> None:
    assert base("memfd_create", 0, 8) == base("memfd_create", 0, 9) == "allow"
    assert {base("memfd_create", 8, flags) for flags in (0, 1, 2, 16, 1 << 35)} == {"EPERM"}


def test_pairs_of_sockets_stay_among_themselves(base: Judge) -> None:
    close_on_exec = 0o2000000
    assert (
        base("socketpair", 1, 1)
        == base("socketpair", HIGH | 1, close_on_exec | 1)
        == base("socketpair", 1, 5)
        == "allow"
    )
    for family, kind in ((1, 2), (1, 3), (1, 0), (1, close_on_exec | 2), (2, 1), (30, 1), (0, 1), (1 << 32, 1)):
        assert base("socketpair", family, kind) == "EPERM"


@pytest.mark.parametrize("families", [(2,), (10,), (2, 10), {10, 2}])
def test_sockets_are_of_the_families_that_are_given(machine: str, families: tuple[int, ...]) -> None:
    judge = Judge(machine, SeccompFilter.base(machine, families=families))
    for family in range(64):
        expected = "allow" if family in families else "EPERM"
        assert judge("socket", family, 1, 0) == judge("socket", HIGH | family, 0o2000002, 17) == expected
    given = min(families)
    # Raw, sequenced packets, any protocol but TCP and UDP.
    assert {judge("socket", given, kind, 0) for kind in (0, 3, 4, 5, 6, 10)} == {"EPERM"}
    assert {judge("socket", given, 1, protocol) for protocol in (1, 33, 132, 255, 262)} == {"EPERM"}
    assert {judge(name, *[-1] * 6) for name in ("connect", "bind", "listen", "accept", "accept4")} == {"allow"}


@pytest.mark.parametrize("families", [(1,), (2, 1), (16,), (0,), (40,), (-1,)])
def test_other_families_are_not_to_be_had(families: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="no other family"):
        SeccompFilter.base("x86_64", families=families)


def test_ipc_is_to_be_had(machine: str) -> None:
    judge = Judge(machine, SeccompFilter.base(machine, ipc=True))
    assert {judge(name, *[-1] * 6) for name in ("shmget", "semop", "msgrcv", "mq_open")} == {"allow"}
    assert judge("socket", 2, 1) == "EPERM"


def test_without_execution_only_threads_are_started(top: Judge) -> None:
    for name in filter(top.has, ("execve", "execveat", "fork", "vfork", "seccomp", "landlock_restrict_self")):
        assert {top(name, *[word] * 6) for word in ANY if word} == {"EPERM"}, name
    assert top("clone", 0x3D0F00) == top("clone", HIGH | 0x10000) == "allow"
    assert {top("clone", flags) for flags in (17, 0x1200011, 0x4111, 0x10000 << 32, 0)} == {"EPERM"}
    assert top("clone3", -1) == "ENOSYS"
    assert top("read") == top("socket", -1) == "allow"


def test_a_machine_without_a_table_has_no_filter() -> None:
    for make in (SeccompFilter.base, SeccompFilter.no_execution):
        with pytest.raises(ConfigurationError, match="riscv64"):
            make("riscv64")


# From here on the kernel runs the programs.


def under(checkout: Path, kind: str, *command: str, folder: Path | None = None) -> str:
    """Run a command under a filter, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.seccomp_attacks", kind, *command],
        cwd=folder or checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def outcomes(checkout: Path) -> dict[str, dict[str, str]]:
    return {kind: json.loads(under(checkout, kind)) for kind in ("none", "base", "no-execution")}


@pytest.mark.parametrize("name", sorted(seccomp_attacks.REFUSED))
def test_the_kernel_refuses(outcomes: dict[str, dict[str, str]], name: str) -> None:
    assert [outcomes[kind][name] for kind in ("none", "base", "no-execution")] == ["done", "EPERM", "EPERM"]


@pytest.mark.parametrize("name", sorted(seccomp_attacks.UNKNOWN))
def test_the_kernel_says_it_does_not_know(outcomes: dict[str, dict[str, str]], name: str) -> None:
    assert [outcomes[kind][name] for kind in ("none", "base", "no-execution")] == ["done", "ENOSYS", "ENOSYS"]


@pytest.mark.parametrize("name", sorted(seccomp_attacks.KILLED))
def test_the_kernel_kills(outcomes: dict[str, dict[str, str]], name: str) -> None:
    assert [outcomes[kind][name] for kind in ("none", "base", "no-execution")] == ["done", "SIGSYS", "SIGSYS"]


@pytest.mark.parametrize("name", sorted(seccomp_attacks.EXECUTION))
def test_the_kernel_starts_nothing_without_execution(outcomes: dict[str, dict[str, str]], name: str) -> None:
    assert [outcomes[kind][name] for kind in ("none", "base", "no-execution")] == ["done", "done", "EPERM"]


@pytest.mark.parametrize("name", sorted(seccomp_attacks.NEEDED))
def test_the_kernel_allows_what_is_needed(outcomes: dict[str, dict[str, str]], name: str) -> None:
    assert [outcomes[kind][name] for kind in ("none", "base", "no-execution")] == ["done", "done", "done"]


PYTHON = """
import asyncio, multiprocessing, subprocess, sys, tempfile, threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import shared_memory

def square(number):
    return number * number

async def talk():
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(3)", stdout=subprocess.PIPE)
    return (await process.communicate())[0]

if __name__ == "__main__":
    for method in ("fork", "spawn"):
        with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
            assert list(pool.map(square, range(4))) == [0, 1, 4, 9]
    queue = multiprocessing.get_context("spawn").Queue()
    queue.put(1)
    assert queue.get() == 1
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(square, range(4))) == [0, 1, 4, 9]
    assert subprocess.run([sys.executable, "-c", "print(2)"], stdout=subprocess.PIPE, check=True).stdout == b"2\\n"
    assert asyncio.run(talk()) == b"3\\n"
    memory = shared_memory.SharedMemory(create=True, size=16)
    memory.close()
    memory.unlink()
    print("done")
"""

THREADS_ONLY = """
import asyncio, os, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(4) as pool:
    assert list(pool.map(abs, range(-4, 0))) == [4, 3, 2, 1]
assert asyncio.run(asyncio.to_thread(abs, -1)) == 1
for start in (lambda: subprocess.run([sys.executable, "-V"]), os.fork, lambda: os.posix_spawn("/bin/true", ["a"], {})):
    try:
        start()
    except PermissionError:
        continue
    sys.exit("a process was started")
print(os.waitstatus_to_exitcode(os.system("true")))
"""

GIT = """
git init -q a && cd a && echo x > x && git add x && git -c user.name=a -c user.email=a commit -q -m first
cd .. && git clone -q a b && cd b && git gc -q && git log --format=%s
"""

GCC = """
printf '#include <stdio.h>\\nint main(void) { puts("hello"); return 0; }\\n' > hello.c
gcc -O2 -pipe -o hello hello.c && ./hello
"""

NODE = """
const { Worker } = require("worker_threads");
require("fs").writeFileSync("a", "x");
new Worker("1", { eval: true }).on("exit", () => {
  console.log(require("child_process").execFileSync("/bin/echo", ["hello"], { encoding: "utf8" }).trim());
});
"""


def test_python_does_all_its_work(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PYTHON, encoding="utf-8")
    printed = under(checkout, "base", sys.executable, "-W", "ignore::DeprecationWarning", "program.py", folder=tmp_path)
    assert printed == "done\n"


def test_python_without_execution_has_its_threads(checkout: Path, tmp_path: Path) -> None:
    # The shell that `os.system` would start cannot be.
    assert under(checkout, "no-execution", "-c", THREADS_ONLY, folder=tmp_path) == "127\n"


# A program that is not installed cannot be tried; on the machines that test this library all of them are.
PROGRAMS = {
    "git": (["/bin/sh", "-ec", GIT], "first\n"),
    "gcc": (["/bin/sh", "-ec", GCC], "hello\n"),
    "node": (["node", "-e", NODE], "hello\n"),
}


@pytest.mark.parametrize("name", sorted(filter(shutil.which, PROGRAMS)))
def test_programs_do_their_work(checkout: Path, tmp_path: Path, name: str) -> None:
    command, expected = PROGRAMS[name]
    assert under(checkout, "base", *command, folder=tmp_path) == expected


@pytest.mark.parametrize("package", [name for name in ("pip",) if importlib.util.find_spec(name)])
def test_pip_does_its_work(checkout: Path, tmp_path: Path, package: str) -> None:
    printed = under(
        checkout, "base", sys.executable, "-I", "-m", package, "--disable-pip-version-check", "list", folder=tmp_path
    )
    assert package in printed


def test_the_machine_of_the_tests_is_one_of_them() -> None:
    assert platform.machine() in MACHINES
