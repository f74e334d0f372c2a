"""The filter, call by call, on both machines; what it does to a real process is tried in tests/security/broker."""

from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.broker.broker_filter import BrokerFilter
from mcp_server.resources.isolation.syscall_table import SyscallTable
from tests.support.bpf_interpreter import BPFInterpreter

ALLOW, REFUSE, UNKNOWN, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
HIGH = 0xDEADBEEF << 32  # what a register may hold above an int
MACHINES = ("x86_64", "aarch64")

# Everything that is allowed whatever its arguments; what is missing here is refused, which the test below tries.
WHOLLY_ALLOWED = set(
    """
    recvmsg sendmsg newfstatat fstat statx close read write pread64 lseek getdents64 mkdirat unlinkat renameat renameat2
    linkat fchown flock fsync fdatasync recvfrom sendto futex poll ppoll brk munmap mremap madvise exit exit_group
    rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall rseq set_robust_list clock_gettime
    clock_nanosleep gettimeofday getrandom getpid gettid getuid geteuid getgid getegid sched_getaffinity sched_yield
    """.split()
)
BY_ARGUMENTS = {"openat", "fcntl", "mmap", "mprotect", "fchmod", "mkdirat", "ioctl", "clone"}


class Judge:
    def __init__(self, machine: str) -> None:
        self.table = SyscallTable.of(machine)
        self.program = BPFInterpreter(BrokerFilter.program(machine))

    def __call__(self, name: str | int, *arguments: int) -> int:
        number = self.table.numbers[name] if isinstance(name, str) else name
        return self.program.run(number, self.table.audit_arch, arguments)


@pytest.fixture(params=MACHINES)
def judge(request: pytest.FixtureRequest) -> Judge:
    return Judge(request.param)


def test_every_call_is_allowed_by_name_or_refused(judge: Judge) -> None:
    for name in judge.table.numbers:
        if name in BY_ARGUMENTS:
            continue
        expected = ALLOW if name in WHOLLY_ALLOWED else REFUSE
        if name in ("clone3", "openat2"):
            expected = UNKNOWN
        assert (name, judge(name)) == (name, expected)
    assert judge(1023) == REFUSE


def test_other_architectures_are_killed_and_x32_is_refused(judge: Judge) -> None:
    assert judge.program.run(0, 0x40000003) == KILL
    if judge.table.machine == "x86_64":
        assert judge(judge.table.numbers["read"] | 0x40000000) == REFUSE


@pytest.mark.parametrize(
    ("name", "arguments", "verdict"),
    [
        ("openat", (3, 0, 0), ALLOW),
        ("openat", (3, 0, 0o2000000), ALLOW),
        ("openat", (3, 0, 0o1000), REFUSE),
        ("openat", (3, 0, 0o1001 | HIGH), REFUSE),
        ("openat", (3, 0, 0o301, 0o644), ALLOW),
        ("openat", (3, 0, 0o301, 0o4644), REFUSE),
        ("openat", (3, 0, 0o301, 0o2644 | HIGH), REFUSE),
        ("openat", (3, 0, 0o20200001, 0o4644), REFUSE),
        # Without O_CREAT the register of the mode holds anything.
        ("openat", (3, 0, 0o400000, 0o6777), ALLOW),
        ("fchmod", (3, 0o777), ALLOW),
        ("fchmod", (3, 0o4777), REFUSE),
        ("mkdirat", (3, 0, 0o755), ALLOW),
        ("mkdirat", (3, 0, 0o2755), REFUSE),
        ("mmap", (0, 4096, 3), ALLOW),
        ("mmap", (0, 4096, 5), REFUSE),
        ("mprotect", (0, 4096, 3), ALLOW),
        ("mprotect", (0, 4096, 7), REFUSE),
        ("fcntl", (3, 3), ALLOW),
        ("fcntl", (3, 1030), ALLOW),
        ("fcntl", (3, 4), REFUSE),
        ("fcntl", (3, 8), REFUSE),
        ("fcntl", (3, 10), REFUSE),
        ("fcntl", (3, 1024), REFUSE),
        ("ioctl", (3, 0x5451), ALLOW),
        ("ioctl", (3, 0x5412), REFUSE),
        ("clone", (0x3D0F00,), ALLOW),
        ("clone", (0x11,), REFUSE),
        ("clone", (0x3D0F00 | 0x10000000,), REFUSE),
    ],
)
def test_arguments_decide(judge: Judge, name: str, arguments: tuple[int, ...], verdict: int) -> None:
    assert judge(name, *arguments) == verdict


def test_another_machine_has_none() -> None:
    with pytest.raises(ConfigurationError):
        BrokerFilter.program("riscv64")
