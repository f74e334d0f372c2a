"""Which system calls sandboxed code may make, as programs for `seccomp(2)`."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.isolation.bpf_assembler import BPFAssembler
from mcp_server.resources.isolation.syscall_table import SyscallTable

# What ordinary programs need, by what it is about. Calls that only one of the machines has are in the same lists.
_ALLOWED: Final = {
    "descriptors": """
        close close_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd
        eventfd2 fcntl flock inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy
        io_getevents io_pgetevents io_setup io_submit pidfd_open pidfd_send_signal pipe pipe2 poll ppoll pselect6 select
        signalfd signalfd4 timerfd_create timerfd_gettime timerfd_settime
    """,
    "reading and writing": """
        copy_file_range fadvise64 fallocate fdatasync fsync ftruncate lseek pread64 preadv preadv2 pwrite64 pwritev
        pwritev2 read readahead readv sendfile splice sync sync_file_range syncfs tee truncate vmsplice write writev
    """,
    "names and attributes of files": """
        access chdir chown faccessat faccessat2 fchdir fchown fchownat fgetxattr flistxattr fremovexattr fsetxattr fstat
        fstatfs futimesat getcwd getdents getdents64 getxattr getxattrat lchown lgetxattr link linkat listxattr
        listxattrat llistxattr lremovexattr lsetxattr lstat mkdir mkdirat newfstatat readlink readlinkat removexattr
        removexattrat rename renameat renameat2 rmdir setxattr setxattrat stat statfs statx symlink symlinkat umask
        unlink unlinkat utime utimensat utimes
    """,
    "memory": """
        brk get_mempolicy madvise map_shadow_stack mbind membarrier mincore mlock mlock2 mlockall mmap mprotect mremap
        mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect set_mempolicy
    """,
    "processes and threads": """
        arch_prctl execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv futex_wake
        get_robust_list getcpu getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid gettid ioprio_get
        ioprio_set restart_syscall rseq rseq_slice_yield sched_get_priority_max sched_get_priority_min
        sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity
        sched_setattr sched_setparam sched_setscheduler sched_yield set_robust_list set_tid_address setpgid setpriority
        setrlimit setsid sysinfo times uname uprobe uretprobe vfork wait4 waitid
    """,
    "signals": """
        alarm getitimer kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
        rt_sigtimedwait rt_tgsigqueueinfo setitimer sigaltstack tgkill tkill
    """,
    "users and capabilities": """
        capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid setgroups
        setregid setresgid setresuid setreuid setuid
    """,
    "time and chance": """
        clock_getres clock_gettime clock_nanosleep getrandom gettimeofday nanosleep time timer_create timer_delete
        timer_getoverrun timer_gettime timer_settime
    """,
    "sockets that exist": """
        getpeername getsockname getsockopt recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto setsockopt shutdown
    """,
    "giving up more": "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp",
}

# What reaches beyond the process or deep into the kernel. All others that are not named here are answered as unknown.
_REFUSED: Final = """
    acct add_key adjtimex bpf chroot clock_adjtime clock_settime create_module delete_module fanotify_init fanotify_mark
    finit_module fsconfig fsmount fsopen fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl
    kcmp kexec_file_load kexec_load keyctl memfd_secret migrate_pages modify_ldt mount mount_setattr move_mount
    move_pages name_to_handle_at open_by_handle_at open_tree open_tree_attr perf_event_open pidfd_getfd pivot_root
    process_madvise process_mrelease process_vm_readv process_vm_writev ptrace quotactl quotactl_fd reboot request_key
    setdomainname sethostname setns settimeofday swapoff swapon syslog umount2 unshare uselib userfaultfd vhangup
"""

# Objects that are found by name and belong to nobody's directory: without an IPC namespace they are the host's.
_IPC: Final = """
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget
    semop semtimedop shmat shmctl shmdt shmget
"""

# What makes a socket reach another one; of no use to both ends of a pair.
_BEING_REACHED: Final = "accept accept4 bind listen"
_REACHING: Final = _BEING_REACHED + " connect"

# Calls whose arguments decide, and the rule that looks at them.
_RULED: Final = {
    "chmod": "mode in second",
    "clone": "clone namespaces",
    "creat": "mode in second",
    "fchmod": "mode in second",
    "fchmodat": "mode in third",
    "fchmodat2": "mode in third",
    "ioctl": "ioctl",
    "memfd_create": "memfd_create",
    "mknod": "node in second",
    "mknodat": "node in third",
    "open": "open",
    "openat": "openat",
    "personality": "personality",
    "prctl": "prctl memory",
    "prlimit64": "prlimit64",
    "socket": "socket",
    "socketpair": "socketpair",
}

# What changes a file by its name, which Landlock does not control; through a descriptor it takes the right to write.
_METADATA: Final = """
    chmod chown fchmodat fchmodat2 fchownat futimesat lchown lremovexattr lsetxattr removexattr removexattrat setxattr
    setxattrat utime utimensat utimes
"""

_NEW_PROCESS: Final = "execve execveat fork vfork"
_MORE_FILTERS: Final = "landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp"

_RET_ALLOW: Final = 0x7FFF_0000
_RET_ERRNO: Final = 0x0005_0000
_RET_KILL_PROCESS: Final = 0x8000_0000
_VERDICTS: Final = {
    "allow": _RET_ALLOW,
    "refuse": _RET_ERRNO | errno.EPERM,
    "unknown": _RET_ERRNO | errno.ENOSYS,
    "kill": _RET_KILL_PROCESS,
}

# struct seccomp_data.
_NUMBER: Final = 0
_ARCH: Final = 4
_FIRST_ARGUMENT: Final = 16

_Rule: TypeAlias = Callable[[BPFAssembler], None]

_X32_BIT: Final = 0x4000_0000
_WORD: Final = 0xFFFF_FFFF

# Source: include/uapi/linux/sched.h; mount, cgroup, uts, ipc, user, pid and network namespaces. The bit of the time
# namespace means something else to `clone`.
_CLONE_NEW: Final = 0x7E02_0000
_CLONE_THREAD: Final = 0x0001_0000
_SET_ID: Final = 0o6000
_TYPE: Final = 0o170000
_HARMLESS_TYPES: Final = (0, 0o100000, 0o010000, 0o140000)  # none, a file, a FIFO, a socket
_CREATES: Final = 0o100 | 0o20000000  # O_CREAT, __O_TMPFILE; without them the mode is whatever was in the register
_MFD_NOEXEC_SEAL: Final = 8
# TIOCSTI types for the terminal's user, TIOCLINUX pastes, TIOCSETD loads line disciplines.
_TERMINAL_ATTACKS: Final = (0x5412, 0x541C, 0x5423)
_PR_SET_SECCOMP: Final = 22
_PR_SET_MM: Final = 35
_PERSONALITIES: Final = (_WORD, 0)  # only asking, and what everybody has

_AF_UNIX: Final = 1
_AF_INET: Final = 2
_AF_INET6: Final = 10
_SOCK_TYPE: Final = 0xF
_SOCK_STREAM: Final = 1
_SOCK_DGRAM: Final = 2
_SOCK_SEQPACKET: Final = 5
_TCP: Final = 6
_PROTOCOLS: Final = (0, _TCP, 17)  # the default, TCP, UDP
NETWORK_FAMILIES: Final = (_AF_INET,)
"""Of which sockets are made in a sandbox that may reach something: what the relay listens on, and no more."""

_MSG_FASTOPEN: Final = 0x2000_0000
_TCP_ULP: Final = 31


class SeccompFilter:
    """The filters of the sandbox, for one machine each.

    Each begins with the architecture: a call of any other kills the process, for its numbers mean something else. The
    verdict on a call is to allow it, to refuse it with EPERM, or to answer ENOSYS as a kernel that does not know it.
    ENOSYS is for what programs know how to do without: it makes `clone3` fall back to `clone`, whose flags can be seen.

    An argument is looked at as the kernel takes it, 32 bits wide where that is an `int`: the upper half of the
    register is free to hold anything, and a filter that looked at it could be deceived.

    What lies behind a pointer cannot be seen, so `openat2` and `clone3`, whose flags do, are answered as unknown.

    Source: seccomp(2); Documentation/userspace-api/seccomp_filter.rst, "Pitfalls".

    >>> len(SeccompFilter.base("x86_64")) % 8, len(SeccompFilter.no_execution("aarch64")) % 8
    (0, 0)
    """

    __slots__ = ()

    @staticmethod
    def base(machine: str, *, families: Collection[int] = (), ipc: bool = False) -> bytes:
        """Return the program of an allow-list that leaves ordinary programs their work.

        It leaves what is needed to give up more: Landlock, another filter, `no_new_privs`, limits.

        Args:
            machine: As `uname -m` says it.
            families: Of which address families sockets may be made: `AF_INET` and `AF_INET6`, none by default. Pairs of
                connected sockets are always allowed.
            ipc: Whether System V objects and POSIX message queues may be used. Only for a process in an IPC namespace
                of its own.

        Raises:
            ConfigurationError: There is no table for the machine, or another family is asked for.
        """
        if not set(families) <= {_AF_INET, _AF_INET6}:
            raise ConfigurationError("a sandbox may be given sockets of AF_INET and AF_INET6, and of no other family")
        places = dict.fromkeys(" ".join(_ALLOWED.values()).split(), "allow")
        places |= dict.fromkeys(_REFUSED.split(), "refuse")
        places |= dict.fromkeys(_IPC.split(), "allow" if ipc else "refuse")
        places |= dict.fromkeys(_REACHING.split(), "allow" if families else "refuse")
        places |= _RULED
        return _program(machine, places, sorted(families))

    @staticmethod
    def no_execution(machine: str) -> bytes:
        """Return the program that takes starting processes away; threads remain.

        To be put on top of `base`, as the last filter: it refuses further ones, and Landlock with them. It leaves
        everything else that has a name to the filter below.

        Args:
            machine: As `uname -m` says it.

        Raises:
            ConfigurationError: There is no table for the machine.
        """
        places = dict.fromkeys(SyscallTable.of(machine).numbers, "allow")
        places |= dict.fromkeys((_NEW_PROCESS + " " + _MORE_FILTERS).split(), "refuse")
        places |= {"clone3": "unknown", "clone": "clone thread", "prctl": "prctl seccomp"}
        return _program(machine, places, ())

    @staticmethod
    def connect_only(machine: str) -> bytes:
        """Return the program that leaves of sockets those that connect over TCP and IPv4.

        To be put on top of `base` where that allows sockets at all, for what is run alone: nothing is bound, nobody is
        listened to, and no datagram is sent. Nor is a connection made by sending, which Landlock does not see, or given
        a protocol of the kernel's own to speak (`TCP_ULP`).

        Args:
            machine: As `uname -m` says it.

        Raises:
            ConfigurationError: There is no table for the machine.
        """
        places = dict.fromkeys(SyscallTable.of(machine).numbers, "allow")
        places |= dict.fromkeys(_BEING_REACHED.split(), "refuse")
        places |= {"socket": "socket of tcp", "setsockopt": "option of tcp"}
        places |= {"sendmsg": "flags in third", "sendmmsg": "flags in fourth", "sendto": "flags in fourth"}
        return _program(machine, places, ())

    @staticmethod
    def no_metadata(machine: str) -> bytes:
        """Return the program that takes changing modes, owners, times and attributes by name away.

        For a process that can walk to files of the host: Landlock keeps it from opening them, not from this.

        Args:
            machine: As `uname -m` says it.

        Raises:
            ConfigurationError: There is no table for the machine.
        """
        places = dict.fromkeys(SyscallTable.of(machine).numbers, "allow")
        places |= dict.fromkeys(_METADATA.split(), "refuse")
        return _program(machine, places, ())


def _program(machine: str, places: Mapping[str, str], families: Collection[int]) -> bytes:
    """Assemble: the architecture, a tree over the numbers, the rules it leads to, the verdicts."""
    table = SyscallTable.of(machine)
    assembler = BPFAssembler()
    assembler.ld(_ARCH)
    assembler.jeq(table.audit_arch, None, "kill")
    assembler.ld(_NUMBER)
    if machine == "x86_64":
        assembler.jset(_X32_BIT, "unknown")
    by_number = {table.numbers[name]: place for name, place in places.items() if name in table.numbers}
    runs: list[tuple[int, str]] = []
    for number in range(max(by_number) + 2):
        place = by_number.get(number, "unknown")
        if not runs or runs[-1][1] != place:
            runs.append((number, place))
    _tree(assembler, runs)
    needed = set(by_number.values())
    for name, rule in (_RULES | {"socket": _socket(families)}).items():
        if name in needed:
            assembler.label(name)
            rule(assembler)
    for verdict, value in _VERDICTS.items():
        assembler.label(verdict)
        assembler.ret(value)
    return assembler.assemble()


def _tree(assembler: BPFAssembler, runs: list[tuple[int, str]]) -> None:
    """Find by halves which run of equal places the number is in; a half of one run is no tree, but its place."""
    lower, upper = runs[: len(runs) // 2], runs[len(runs) // 2 :]
    first, place = upper[0]
    middle = f"from {first}"
    assembler.jge(first, place if len(upper) == 1 else middle, lower[0][1] if len(lower) == 1 else None)
    if len(lower) > 1:
        _tree(assembler, lower)
    if len(upper) > 1:
        assembler.label(middle)
        _tree(assembler, upper)


def _argument(assembler: BPFAssembler, index: int, *, upper: bool = False) -> None:
    # Both machines are little-endian: the lower half comes first.
    assembler.ld(_FIRST_ARGUMENT + 8 * index + 4 * upper)


def _allow_only(assembler: BPFAssembler, values: Collection[int], then: str = "allow") -> None:
    for value in values:
        assembler.jeq(value, then)
    assembler.ja("refuse")


def _refuse_bits(index: int, mask: int) -> _Rule:
    def rule(assembler: BPFAssembler) -> None:
        _argument(assembler, index)
        assembler.jset(mask, "refuse", "allow")

    return rule


def _refuse_values(index: int, values: Collection[int]) -> _Rule:
    def rule(assembler: BPFAssembler) -> None:
        _argument(assembler, index)
        for value in values:
            assembler.jeq(value, "refuse")
        assembler.ja("allow")

    return rule


def _open(flags: int) -> _Rule:
    def rule(assembler: BPFAssembler) -> None:
        _argument(assembler, flags)
        assembler.jset(_CREATES, None, "allow")
        _argument(assembler, flags + 1)
        assembler.jset(_SET_ID, "refuse", "allow")

    return rule


def _node(mode: int) -> _Rule:
    def rule(assembler: BPFAssembler) -> None:
        _argument(assembler, mode)
        assembler.jset(_SET_ID, "refuse")
        assembler.and_(_TYPE)
        _allow_only(assembler, _HARMLESS_TYPES)

    return rule


def _needs_bit(index: int, bit: int) -> _Rule:
    def rule(assembler: BPFAssembler) -> None:
        _argument(assembler, index)
        assembler.jset(bit, "allow", "refuse")

    return rule


def _personality(assembler: BPFAssembler) -> None:
    _argument(assembler, 0)
    _allow_only(assembler, _PERSONALITIES)


def _prlimit(assembler: BPFAssembler) -> None:
    # Its own limits, or only asking: without a pid namespace the server is a process of the same user.
    _argument(assembler, 0)
    assembler.jeq(0, "allow")
    _argument(assembler, 2)
    assembler.jeq(0, None, "refuse")
    _argument(assembler, 2, upper=True)
    assembler.jeq(0, "allow", "refuse")


def _socket(families: Collection[int]) -> _Rule:
    def rule(assembler: BPFAssembler) -> None:
        # No raw sockets, and no protocol whose module the kernel would load first.
        _argument(assembler, 0)
        _allow_only(assembler, families, "socket type")
        assembler.label("socket type")
        _argument(assembler, 1)
        assembler.and_(_SOCK_TYPE)
        _allow_only(assembler, (_SOCK_STREAM, _SOCK_DGRAM), "socket protocol")
        assembler.label("socket protocol")
        _argument(assembler, 2)
        _allow_only(assembler, _PROTOCOLS)

    return rule


def _socketpair(assembler: BPFAssembler) -> None:
    # Not of datagrams: one end could send to any other socket of the host, by an address behind a pointer.
    _argument(assembler, 0)
    assembler.jeq(_AF_UNIX, None, "refuse")
    _argument(assembler, 1)
    assembler.and_(_SOCK_TYPE)
    _allow_only(assembler, (_SOCK_STREAM, _SOCK_SEQPACKET))


def _tcp_socket(assembler: BPFAssembler) -> None:
    _argument(assembler, 0)
    assembler.jeq(_AF_INET, None, "refuse")
    _argument(assembler, 1)
    assembler.and_(_SOCK_TYPE)
    assembler.jeq(_SOCK_STREAM, None, "refuse")
    _argument(assembler, 2)
    _allow_only(assembler, (0, _TCP))


def _tcp_option(assembler: BPFAssembler) -> None:
    _argument(assembler, 1)
    assembler.jeq(_TCP, None, "allow")
    _argument(assembler, 2)
    assembler.jeq(_TCP_ULP, "refuse", "allow")


_RULES: Final[dict[str, _Rule]] = {
    "clone namespaces": _refuse_bits(0, _CLONE_NEW),
    "clone thread": _needs_bit(0, _CLONE_THREAD),
    "flags in fourth": _refuse_bits(3, _MSG_FASTOPEN),
    "flags in third": _refuse_bits(2, _MSG_FASTOPEN),
    "ioctl": _refuse_values(1, _TERMINAL_ATTACKS),
    "memfd_create": _needs_bit(1, _MFD_NOEXEC_SEAL),
    "mode in second": _refuse_bits(1, _SET_ID),
    "mode in third": _refuse_bits(2, _SET_ID),
    "node in second": _node(1),
    "node in third": _node(2),
    "open": _open(1),
    "openat": _open(2),
    "option of tcp": _tcp_option,
    "personality": _personality,
    "prctl memory": _refuse_values(0, (_PR_SET_MM,)),
    "prctl seccomp": _refuse_values(0, (_PR_SET_SECCOMP,)),
    "prlimit64": _prlimit,
    "socket of tcp": _tcp_socket,
    "socketpair": _socketpair,
}
