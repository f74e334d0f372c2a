"""Which system calls a broker may make, as a program for `seccomp(2)`."""

from __future__ import annotations

import errno
from typing import Final

from mcp_server.resources.isolation.bpf_assembler import BPFAssembler
from mcp_server.resources.isolation.syscall_table import SyscallTable

# The first are asked for most often.
_ALLOWED: Final = """
    recvmsg sendmsg newfstatat fstat statx close read write pread64 lseek getdents64
    mkdirat unlinkat renameat renameat2 linkat fchown flock fsync fdatasync
    recvfrom sendto futex poll ppoll brk munmap mremap madvise
    exit exit_group rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall rseq set_robust_list
    clock_gettime clock_nanosleep gettimeofday getrandom getpid gettid getuid geteuid getgid getegid
    sched_getaffinity sched_yield
"""

# struct seccomp_data.
_NUMBER: Final = 0
_ARCH: Final = 4
_FIRST_ARGUMENT: Final = 16

_RET_ALLOW: Final = 0x7FFF_0000
_RET_ERRNO: Final = 0x0005_0000
_RET_KILL_PROCESS: Final = 0x8000_0000

_X32_BIT: Final = 0x4000_0000
_CLONE_THREAD: Final = 0x0001_0000
_CLONE_NEW: Final = 0x7E02_0000
_SET_ID: Final = 0o6000
_TRUNCATES: Final = 0o1000  # O_TRUNC
_CREATES: Final = 0o100 | 0o20000000  # O_CREAT, __O_TMPFILE; without them the mode is whatever was in the register
_EXECUTABLE: Final = 4  # PROT_EXEC
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC; not those that choose who is sent which signal.
_CONTROLS: Final = (0, 1, 2, 3, 1030)
# FIONCLEX, FIOCLEX, and TCGETS, by which Python asks whether a file is a terminal.
_DEVICE_CONTROLS: Final = (0x5450, 0x5451, 0x5401)


class BrokerFilter:
    """The filter of a process that opens, reads and changes files, has all it imports, and answers on open sockets.

    Everything that it does not name is refused: programs, processes, signals, sockets, tracing, memory that can be
    executed, and what changes files by their names. Of what it names, arguments are looked at where Landlock does not
    look: nothing is emptied by opening it, no file gets a set-user-id bit. So `openat2`, whose flags lie behind a
    pointer, is unknown, and paths are walked.

    Source: seccomp(2); Documentation/userspace-api/seccomp_filter.rst, "Pitfalls".

    >>> len(BrokerFilter.program("x86_64")) % 8, len(BrokerFilter.program("aarch64")) % 8
    (0, 0)
    """

    __slots__ = ()

    @staticmethod
    def program(machine: str) -> bytes:
        """Return the program.

        Args:
            machine: As `uname -m` says it.

        Raises:
            ConfigurationError: There is no table for the machine.
        """
        table = SyscallTable.of(machine)
        assembler = BPFAssembler()
        assembler.ld(_ARCH)
        assembler.jeq(table.audit_arch, None, "kill")
        assembler.ld(_NUMBER)
        if machine == "x86_64":
            assembler.jset(_X32_BIT, "refuse")
        ruled = ("openat", "fcntl", "mmap", "mprotect", "fchmod", "mkdirat", "ioctl", "clone")
        for name in ruled:
            assembler.jeq(table.numbers[name], name)
        for name in ("clone3", "openat2"):
            # Who is told that there is no such call does without it.
            assembler.jeq(table.numbers[name], "unknown")
        for name in _ALLOWED.split():
            if name in table.numbers and name not in ruled:
                assembler.jeq(table.numbers[name], "allow")
        assembler.ja("refuse")
        _look_at_arguments(assembler)
        for verdict, value in (
            ("allow", _RET_ALLOW),
            ("refuse", _RET_ERRNO | errno.EPERM),
            ("unknown", _RET_ERRNO | errno.ENOSYS),
            ("kill", _RET_KILL_PROCESS),
        ):
            assembler.label(verdict)
            assembler.ret(value)
        return assembler.assemble()


def _look_at_arguments(assembler: BPFAssembler) -> None:
    assembler.label("openat")
    _argument(assembler, 2)
    assembler.jset(_TRUNCATES, "refuse")
    assembler.jset(_CREATES, None, "allow")
    _argument(assembler, 3)
    assembler.jset(_SET_ID, "refuse", "allow")
    for name, index in (("fchmod", 1), ("mkdirat", 2)):
        assembler.label(name)
        _argument(assembler, index)
        assembler.jset(_SET_ID, "refuse", "allow")
    for name in ("mmap", "mprotect"):
        assembler.label(name)
        _argument(assembler, 2)
        assembler.jset(_EXECUTABLE, "refuse", "allow")
    for name, known in (("fcntl", _CONTROLS), ("ioctl", _DEVICE_CONTROLS)):
        assembler.label(name)
        _argument(assembler, 1)
        for value in known:
            assembler.jeq(value, "allow")
        assembler.ja("refuse")
    # A thread, and nothing else; nor one in namespaces of its own.
    assembler.label("clone")
    _argument(assembler, 0)
    assembler.jset(_CLONE_NEW, "refuse")
    assembler.jset(_CLONE_THREAD, "allow", "refuse")


def _argument(assembler: BPFAssembler, index: int) -> None:
    # Both machines are little-endian, and what is looked at is an `int` of the kernel's: the lower half is all of it.
    assembler.ld(_FIRST_ARGUMENT + 8 * index)
