"""What a sandbox must not be able to do, really tried: once under a filter, and once without.

`python -m tests.support.seccomp_attacks <filter>` tries everything, each in a process of its own, and prints a line of
JSON: the name of the attempt, and what became of it. The filter is `none`, `base` or `no-execution`. With `-c` and a
Python program behind it runs that, and with the words of a command it becomes that command.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import mmap
import os
import platform
import resource
import signal
import socket
import struct
import sys
import tempfile
import termios
import threading
from collections.abc import Callable

from mcp_server.resources.isolation.seccomp_filter import SeccompFilter
from mcp_server.resources.isolation.syscall_table import SyscallTable
from mcp_server.resources.kernel.close_range import CloseRange
from mcp_server.resources.kernel.landlock import Landlock
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.seccomp import Seccomp

MACHINE = platform.machine()
NUMBERS = SyscallTable.of(MACHINE).numbers
AT_FDCWD = -100
LIBRARY = ctypes.CDLL(None, use_errno=True)
LIBRARY.syscall.restype = ctypes.c_long


def call(name: str | int, *arguments: int | bytes | None) -> int:
    """Make a system call by its number, past the C library, and return its result."""
    number = NUMBERS[name] if isinstance(name, str) else name
    words = [each if isinstance(each, bytes) or each is None else ctypes.c_long(each) for each in arguments]
    result: int = LIBRARY.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def child_of(name: str, *arguments: int | bytes) -> None:
    """Make a call that returns twice, and let the second be nothing."""
    pid = call(name, *arguments)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def replaced(run: Callable[[], object]) -> None:
    """Let a call that replaces the process do so in a child made before the filter, and tell what it could not."""
    run()
    os._exit(1)


def unshared(flags: int) -> None:
    # Without rights of root in a namespace of our own, where root is not needed.
    call("unshare", flags if os.geteuid() == 0 else flags | 0x10000000)


def terminal() -> int:
    os.setsid()
    _, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    return slave


def ready_file() -> str:
    return tempfile.mkstemp()[1]


def interrupt_80() -> None:
    # mov eax, 20 (getpid of i386); int 0x80; ret
    code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    assert function() == os.getpid()


def handle_of(path: bytes) -> None:
    call("name_to_handle_at", AT_FDCWD, path, struct.pack("Ii120x", 120, 0), bytes(8), 0)


def shared_memory() -> None:
    identity = call("shmget", 0, 4096, 0o1600)
    call("shmctl", identity, 0, None)


# What is made ready before the filter is there, and what is tried with it afterwards.
Attack = tuple[Callable[[], object], Callable[..., object]]


def nothing() -> None:
    return None


def simple(name: str, *arguments: int | bytes | None) -> Attack:
    return nothing, lambda _ready: call(name, *arguments)


IO_URING = bytes(120)
EVENT = struct.pack("IIQQQQQ", 1, 112, 0, 0, 0, 0, 1 << 5 | 1 << 6).ljust(112, b"\0")  # a software clock
OPEN_HOW = struct.pack("QQQ", os.O_RDONLY, 0, 0)
CLONE_ARGS = struct.pack("8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
MAP = struct.pack("IIII", 2, 4, 4, 1).ljust(72, b"\0")  # an array of one

REFUSED: dict[str, Attack] = {
    "ptrace": simple("ptrace", 0, 0, 0, 0),
    "process_vm_readv": (nothing, lambda _: call("process_vm_readv", os.getpid(), None, 0, None, 0, 0)),
    "pidfd_getfd": (lambda: os.pidfd_open(os.getpid()), lambda process: call("pidfd_getfd", process, 0, 0)),
    "unix socket": simple("socket", 1, 1, 0),
    "internet socket": simple("socket", 2, 1, 0),
    "netlink socket": simple("socket", 16, 3, 0),
    "socket with a lying upper half": simple("socket", 1 | 1 << 32, 1, 0),
    "pair of datagram sockets": (nothing, lambda _: call("socketpair", 1, 2, 0, bytes(8))),
    "pair of raw sockets, which are datagrams": (nothing, lambda _: call("socketpair", 1, 3, 0, bytes(8))),
    "unshare": simple("unshare", 0x400),
    "clone into a user namespace": (nothing, lambda _: child_of("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)),
    "mount": (
        lambda: (unshared(0x20000), call("mount", None, b"/", None, 0x44000, None)),
        lambda _: call("mount", None, b"/", None, 0x44000, None),
    ),
    "chroot": (lambda: unshared(0x20000), lambda _: call("chroot", b"/")),
    "setns": (
        lambda: (unshared(0x04000000), os.open("/proc/self/ns/uts", os.O_RDONLY))[1],
        lambda namespace: call("setns", namespace, 0),
    ),
    "chmod": (ready_file, lambda path: os.chmod(path, 0o4755)),
    "fchmod": (lambda: os.open(ready_file(), os.O_RDWR), lambda file: os.fchmod(file, 0o2755)),
    "fchmodat": (ready_file, lambda path: call("fchmodat", AT_FDCWD, path.encode(), 0o4755)),
    "openat": (tempfile.mkdtemp, lambda path: os.open(f"{path}/a", os.O_CREAT | os.O_WRONLY, 0o4755)),
    "nameless file": (tempfile.mkdtemp, lambda path: os.open(path, os.O_TMPFILE | os.O_WRONLY, 0o4755)),
    "mknod": (tempfile.mkdtemp, lambda path: os.mknod(f"{path}/a", 0o020600, 0)),
    "io_uring_setup": simple("io_uring_setup", 1, IO_URING),
    "keyctl": simple("keyctl", 0, -2, 1),
    "add_key": simple("add_key", b"user", b"test", b"x", 1, -2),
    "userfaultfd": simple("userfaultfd", 1),
    "name_to_handle_at": (nothing, lambda _: handle_of(b"/tmp")),
    "shared memory of System V": (nothing, lambda _: shared_memory()),
    "memfd_create": simple("memfd_create", b"a", 0),
    "personality": simple("personality", 0x0040000),
    "prlimit64 of the parent": (
        lambda: struct.pack("qq", *resource.getrlimit(resource.RLIMIT_CORE)),
        lambda limits: call("prlimit64", os.getppid(), resource.RLIMIT_CORE, limits, None),
    ),
    "TIOCSETD": (terminal, lambda slave: fcntl.ioctl(slave, termios.TIOCSETD, bytes(4))),
}
UNKNOWN: dict[str, Attack] = {
    "clone3": (nothing, lambda _: child_of("clone3", CLONE_ARGS, len(CLONE_ARGS))),
    "openat2": simple("openat2", AT_FDCWD, b"/", OPEN_HOW, len(OPEN_HOW)),
}
KILLED: dict[str, Attack] = {}
if os.geteuid() == 0:
    # A plain user may be refused these by the machine itself, and then nothing would be proved.
    REFUSED["bpf"] = simple("bpf", 0, MAP, len(MAP))
    REFUSED["perf_event_open"] = simple("perf_event_open", EVENT, 0, -1, -1, 0)
    REFUSED["TIOCSTI"] = (terminal, lambda slave: fcntl.ioctl(slave, termios.TIOCSTI, b"x"))
    REFUSED["TIOCSTI with a lying upper half"] = (terminal, lambda slave: call("ioctl", slave, 0x5412 | 1 << 32, b"x"))
if MACHINE == "x86_64":
    KILLED["call of i386"] = (nothing, lambda _: interrupt_80())
    REFUSED["open"] = (tempfile.mkdtemp, lambda path: call("open", f"{path}/a".encode(), 0o101, 0o2755))
    REFUSED["creat"] = (tempfile.mkdtemp, lambda path: call("creat", f"{path}/a".encode(), 0o4755))

EXECUTION: dict[str, Attack] = {
    "execve": (nothing, lambda _: replaced(lambda: os.execv("/bin/true", ["true"]))),
    "execveat": (
        lambda: os.open("/bin/true", os.O_PATH),
        lambda file: replaced(lambda: call("execveat", file, b"", None, None, 0x1000)),
    ),
    "posix_spawn": (nothing, lambda _: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)),
    "fork of the C library": (nothing, lambda _: os.fork() or os._exit(0)),
    "clone of a process": (nothing, lambda _: child_of("clone", signal.SIGCHLD, 0, 0, 0, 0)),
    "landlock_create_ruleset": simple("landlock_create_ruleset", None, 0, 1),
    "seccomp": (nothing, lambda _: Seccomp().install(bytes.fromhex("060000000000ff7f"))),
}
if MACHINE == "x86_64":
    EXECUTION["fork"] = (nothing, lambda _: child_of("fork"))


def in_thread() -> None:
    done = []
    thread = threading.Thread(target=done.append, args=(1,))
    thread.start()
    thread.join()
    assert done == [1]


def landlocked() -> None:
    landlock = Landlock()
    if landlock.abi:
        landlock.restrict_self(landlock.create_ruleset(handled_fs=Landlock.fs_rights(landlock.abi)))


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    call("prlimit64", 0, resource.RLIMIT_CORE, struct.pack("qq", 0, 0), None)
    call("prlimit64", os.getppid(), resource.RLIMIT_CORE, None, bytes(16))


# What the programs in the sandbox live on, and what the code that sets it up does after the filter is there.
NEEDED: dict[str, Attack] = {
    "threads": (nothing, lambda _: in_thread()),
    "landlock, where it may": (nothing, lambda _: landlocked()),
    "limits": (nothing, lambda _: limited()),
    "close_range": (nothing, lambda _: CloseRange().close(100)),
    "prctl": (nothing, lambda _: (Prctl().set_no_new_privs(), Prctl().set_dumpable(False))),
    "pidfd": (nothing, lambda _: signal.pidfd_send_signal(os.pidfd_open(os.getpid()), 0)),
    "pair of stream sockets": (nothing, lambda _: [end.send(b"x") for end in socket.socketpair()]),
    "pair of packet sockets": (nothing, lambda _: socket.socketpair(type=socket.SOCK_SEQPACKET)),
    "modes": (ready_file, lambda path: (os.chmod(path, 0o1777), os.chmod(path, 0o755))),
    "files": (tempfile.mkdtemp, lambda path: os.open(f"{path}/a", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640)),
    # Without O_CREAT nobody looks at the mode, and the register may hold anything.
    "a mode that means nothing": (ready_file, lambda path: call("openat", AT_FDCWD, path.encode(), 0, 0o7777)),
    "fifo": (tempfile.mkdtemp, lambda path: os.mkfifo(f"{path}/a")),
    "personality that is only asked": simple("personality", 0xFFFF_FFFF),
    "terminal": (terminal, lambda slave: termios.tcgetattr(slave)),
}


def attempt(attack: Attack, programs: list[bytes]) -> str:
    """Return `done`, the name of the error, or that of the signal that ended the attempt."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        outcome = "done"
        try:
            ready = attack[0]()
            Prctl().set_no_new_privs()
            for program in programs:
                Seccomp().install(program)
            os.set_inheritable(writing, False)
            try:
                attack[1](ready)
            except OSError as error:
                outcome = errno.errorcode[error.errno or 0]
        except BaseException as error:  # noqa: BLE001 - told, whatever it is
            outcome = repr(error)
        os.write(writing, outcome.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        outcome = pipe.read().decode()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    # Nothing was told where the process was replaced by another program.
    return outcome or ("done" if status == 0 else f"status {status}")


def main(kind: str, command: list[str]) -> None:
    """Try everything under the filters that `kind` names, or run a command under them."""
    filters = {
        "none": [],
        "base": [SeccompFilter.base(MACHINE)],
        "no-execution": [SeccompFilter.base(MACHINE), SeccompFilter.no_execution(MACHINE)],
    }[kind]
    if command:
        Prctl().set_no_new_privs()
        for program in filters:
            Seccomp().install(program)
        if command[0] == "-c":
            exec(command[1], {"__name__": "__main__"})
            return
        os.execvp(command[0], command)
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        everything = REFUSED | UNKNOWN | KILLED | EXECUTION | NEEDED
        print(json.dumps({name: attempt(attack, filters) for name, attack in everything.items()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
