"""A broker whose own code is wrong or an enemy's, in its real process; with barriers left out for the controls.

Run by the interpreter of a broker, which has the standard library and this checkout.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import signal
import socket
import stat
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from mcp_server.resources.broker import broker as broker_module
from mcp_server.resources.broker.broker import Broker
from mcp_server.resources.broker.broker_process import main as honest
from mcp_server.resources.broker.frame import Frame
from mcp_server.resources.filesystem.root_access import RootAccess
from mcp_server.resources.filesystem.walking_opener import WalkingOpener
from mcp_server.resources.isolation.syscall_table import SyscallTable
from mcp_server.resources.kernel.landlock import Landlock
from mcp_server.resources.kernel.seccomp import Seccomp

LIBRARY = ctypes.CDLL(None, use_errno=True)
LIBRARY.syscall.restype = ctypes.c_long
NUMBERS = SyscallTable.of(platform.machine()).numbers


class CarelessOpener:
    """Opens what the text says, from wherever it leads: absolute, upwards, through links."""

    def open(self, directory: int, parts: Sequence[str], flags: int, *, cross_mounts: bool = False) -> int:
        return os.open("/".join(parts) or ".", (flags | os.O_CLOEXEC) & ~os.O_NOFOLLOW, dir_fd=directory)


def call(name: str, *arguments: Any) -> int:
    words = [each if isinstance(each, bytes) or each is None else ctypes.c_long(each) for each in arguments]
    result: int = LIBRARY.syscall(ctypes.c_long(NUMBERS[name]), *words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def forked() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def executed(how: Callable[[], object]) -> None:
    """Refused is one answer; that there is no such program is another, which only who may execute gets."""
    try:
        how()
    except FileNotFoundError:
        return


def probed(how: Callable[[], object]) -> None:
    """The same for a process that is not there."""
    try:
        how()
    except ProcessLookupError:
        return


def linked(path: str, name: str) -> None:
    handle = os.open(path, os.O_PATH)
    try:
        call("linkat", -100, b"/proc/self/fd/%d" % handle, -100, os.fsencode(name), 0x400)
    finally:
        os.close(handle)


def connected() -> None:
    """That nobody listens is an answer of the network; whoever may not ask gets none."""
    with socket.socket(socket.AF_INET) as connection:
        try:
            connection.connect(("127.0.0.1", 1))
        except ConnectionRefusedError:
            return


def opened(path: str, flags: int, mode: int = 0o600) -> None:
    os.close(os.open(path, flags, mode))


def attacks(outside: str, inside: str, server: int) -> dict[str, Callable[[], object]]:
    """Everything that whoever took a broker over would try; each raises OSError where it is refused."""
    canary = f"{outside}/canary"
    return {
        "read a file outside": lambda: opened(canary, os.O_RDONLY),
        "read the accounts": lambda: opened("/etc/passwd", os.O_RDONLY),
        "read the interpreter": lambda: opened(os.__file__, os.O_RDONLY),
        "read of the kernel": lambda: opened("/proc/version", os.O_RDONLY),
        "read the server's environment": lambda: opened(f"/proc/{server}/environ", os.O_RDONLY),
        "list a directory outside": lambda: os.listdir(outside),
        "make a file outside": lambda: opened(f"{outside}/new", os.O_WRONLY | os.O_CREAT),
        "make a directory outside": lambda: os.mkdir(f"{outside}/made"),
        "remove a file outside": lambda: os.unlink(f"{outside}/spare"),
        "move a file out": lambda: os.rename(f"{inside}/spare", f"{outside}/moved"),
        "give a file outside a name inside": lambda: os.link(canary, f"{inside}/hard"),
        "give a handle of one outside a name inside": lambda: linked(canary, f"{inside}/held"),
        "empty a file outside": lambda: os.truncate(f"{outside}/long", 0),
        "empty a file outside by opening it": lambda: opened(f"{outside}/long", os.O_RDONLY | os.O_TRUNC),
        "change a mode outside": lambda: os.chmod(canary, 0o644),
        "change a time outside": lambda: os.utime(canary),
        "make a link": lambda: os.symlink(canary, f"{inside}/link"),
        "make a pipe": lambda: os.mkfifo(f"{inside}/pipe"),
        "make a set-user-id file": lambda: opened(f"{inside}/setuid", os.O_WRONLY | os.O_CREAT, 0o4700),
        "fork": forked,
        "execute": lambda: executed(lambda: os.execv("/nonexistent/program", ["program"])),
        "execute a descriptor": lambda: executed(lambda: call("execveat", -100, b"/nonexistent", None, None, 0)),
        "make a socket of TCP": lambda: socket.socket(socket.AF_INET).close(),
        "connect over TCP": connected,
        "make a socket of the machine": lambda: socket.socket(socket.AF_UNIX).close(),
        "make a pair of sockets": lambda: [each.close() for each in socket.socketpair()],
        "signal the server": lambda: os.kill(server, 0),
        "trace": lambda: probed(lambda: call("ptrace", 2, 2**22 + 1, 0, 0)),
        "read another memory": lambda: probed(lambda: call("process_vm_readv", 2**22 + 1, None, 0, None, 0, 0)),
        "make memory executable": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC).close(),
        "make a file of memory": lambda: os.close(os.memfd_create("x")),
        "let another descriptor signal": lambda: broker_signals(server),
    }


def broker_signals(server: int) -> None:
    import fcntl

    descriptor = os.open(".", os.O_RDONLY, dir_fd=3) if stat.S_ISDIR(os.fstat(3).st_mode) else os.dup(0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETOWN, server)
    finally:
        os.close(descriptor)


NAMES = tuple(attacks("", "", 0))


def tried(attack: Callable[[], object]) -> str:
    try:
        attack()
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EXDEV, errno.ENOSYS):
            return f"failed: {error}"
        return "refused"
    return "reached"


def without(*barriers: str) -> None:
    """Leave barriers out, for a control."""
    nothing: Callable[..., None] = lambda *arguments, **options: None  # noqa: E731
    if "landlock" in barriers:
        Landlock.restrict_self = nothing  # type: ignore[method-assign]
    if "filter" in barriers:
        Seccomp.install = nothing  # type: ignore[method-assign]


def careless(*barriers: str) -> NoReturn:
    """Be a broker whose opener opens anything, and which checks no name and no folder."""
    without(*barriers)
    WalkingOpener.open = CarelessOpener.open  # type: ignore[method-assign,assignment]
    RootAccess.check_change = lambda self, location: None  # type: ignore[method-assign]
    broker_module._check_names = lambda parts: None
    honest()


def captured(outside: str, inside: str, *barriers: str) -> NoReturn:
    """Be a broker that does what its captor wants: answers the name of an attack with what became of it."""
    without(*barriers)
    answer = Broker.answer
    known = attacks(outside, inside, os.getppid())

    def obeying(self: Broker, frame: Frame) -> tuple[dict[str, Any], int]:
        name = frame.head.get("at", [0, [""]])[1][-1:]
        if frame.head.get("do") == "stat" and name and name[0] in known:
            return {"id": frame.head["id"], "refusal": ["sandbox", "special", tried(known[name[0]])]}, -1
        return answer(self, frame)

    Broker.answer = obeying  # type: ignore[method-assign]
    honest()


def older(abi: str, outside: str, inside: str) -> NoReturn:
    """Be a captured broker on a kernel whose Landlock is older."""
    known = Landlock.__init__

    def capped(self: Landlock) -> None:
        known(self)
        self.abi = min(self.abi, int(abi))

    Landlock.__init__ = capped  # type: ignore[method-assign]
    captured(outside, inside)


def handing_over(path: str) -> NoReturn:
    """Be a broker that hands over a handle of a file outside, which the kernel lets anybody make."""
    handle = os.open(path, os.O_PATH)
    Broker._pin = lambda self, frame: (None, os.dup(os.open(path, os.O_PATH)))  # type: ignore[method-assign]
    os.close(handle)
    honest()


def dying(step: str) -> NoReturn:
    """Be a broker that is killed at a step of what it does."""
    name, _, place = step.partition(":")
    original = getattr(os, name)
    calls = 0

    def killed(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if place == "before" or (place == "second" and calls == 2):
            kill()
        result = original(*arguments, **options)
        if place == "after":
            kill()
        return result

    write = Broker._write

    def writing(self: Broker, frame: Frame) -> tuple[Any, int]:
        setattr(os, name, killed)
        return write(self, frame)

    def kill() -> None:
        # Its own signal needs no call that the filter knows: an access to no memory, which nothing catches.
        signal.pthread_kill(threading.get_ident(), signal.SIGKILL)

    Broker._write = writing  # type: ignore[method-assign]
    without("filter")
    honest()


def stuck() -> NoReturn:
    """Be a broker that never comes back from one kind of question."""
    Broker._sweep = lambda self, frame: threading.Event().wait()  # type: ignore[method-assign,assignment,return-value]
    honest()


if __name__ == "__main__":
    sys.exit("run by the interpreter of a broker")
