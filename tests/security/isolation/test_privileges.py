"""Other processes, rights, namespaces and the corners of the kernel: all out of reach."""

from __future__ import annotations

import json
import os
import platform
import pty
import signal
import subprocess
import sys
import termios
import tty
from pathlib import Path

import pytest

from mcp_server.resources.isolation.end_reason import EndReason
from tests.security.isolation.attack_code import CALLS
from tests.security.isolation.sandbox_rig import SandboxRig, rig_with

# Seizing does not stop who is seized, and ends with who seized it.
OTHERS = (
    CALLS
    + """
def writable(pid):
    os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))

def vector(base, size):
    return (ctypes.c_void_p * 2)(base, size)

def mapped(pid):
    "Return an address that the process has something at."
    return next(int(line.split("-")[0], 16) for line in open(f"/proc/{pid}/maps") if "libc.so" in line)

byte = ctypes.create_string_buffer(1)
mine = vector(ctypes.addressof(byte), 1)

found = {}
for name, pid in (("first", 1), ("runner", os.getppid())):
    found[f"ptrace {name}"] = call("ptrace", 0x4206, pid, 0, 0)
    found[f"mem {name}"] = attempt(writable, pid)
    found[f"maps {name}"] = attempt(mapped, pid)
    theirs = vector(mapped(pid) if found[f"maps {name}"] == "done" else 0, 1)
    found[f"readv {name}"] = call("process_vm_readv", pid, mine, 1, theirs, 1, 0)
    found[f"writev {name}"] = call("process_vm_writev", pid, mine, 1, theirs, 1, 0)
    found[f"environ {name}"] = attempt(open, f"/proc/{pid}/environ", "rb")
    found[f"signal {name}"] = attempt(os.kill, pid, 0)
print(json.dumps(found))
"""
)


def test_b04_the_first_process_and_the_runner_can_be_neither_traced_nor_read_nor_written(rig: SandboxRig) -> None:
    for may_execute in (False, True):
        found = rig.reached(OTHERS, may_execute=may_execute)
        assert {name: told for name, told in found.items() if told == "done"} == {}
        assert {told for name, told in found.items() if name.startswith(("ptrace", "readv", "writev"))} == {"EPERM"}


def test_b04_landlock_and_the_filter_each_guard_them_and_without_both_the_first_is_open() -> None:
    with rig_with(landlock=False) as filtered:
        found = filtered.reached(OTHERS, may_execute=True)
        # The design's own finding: what a filter cannot see is a path, and this one leads into the first process.
        assert (found["ptrace first"], found["writev first"], found["mem first"]) == ("EPERM", "EPERM", "done")
    with rig_with(base_filter=None) as landlocked:
        found = landlocked.reached(OTHERS, may_execute=True)
        assert {found[f"{name} first"] for name in ("ptrace", "readv", "mem", "environ")} <= {"EPERM", "EACCES"}
    with rig_with(base_filter=None, landlock=False) as bare:
        found = bare.reached(OTHERS, may_execute=True)
        names = ("ptrace", "mem", "maps", "readv", "environ", "signal")
        assert {found[f"{name} first"] for name in names} == {"done"}
        # The runner, which tells the server how it went, is guarded by a third.
        assert {found[f"{name} runner"] for name in names[:-1]} <= {"EPERM", "EACCES", "EFAULT"}
    with rig_with(
        base_filter=None, landlock=False, runner=lambda text: text.replace("set_dumpable(False)", "set_dumpable(True)")
    ) as dumpable:
        found = dumpable.reached(OTHERS, may_execute=True)
        assert {found[f"{name} runner"] for name in ("ptrace", "mem", "readv", "environ")} == {"done"}


STATUS = """
import json
status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
rights = [int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
print(json.dumps({"rights": rights, "locked": status["NoNewPrivs"], "filter": status["Seccomp"],
                  "groups": status["Groups"].split()}))
"""


def test_b05_there_are_no_rights_and_none_can_be_gained(rig: SandboxRig) -> None:
    nothing = {"rights": [0] * 5, "locked": "1", "filter": "2", "groups": []}
    assert rig.reached(STATUS) == nothing
    assert rig.reached(STATUS, may_execute=True) == nothing
    assert json.loads(rig.run_program("/usr/bin/python3", "-c", STATUS).stdout.text()) == nothing
    outside = json.loads(subprocess.run([sys.executable, "-c", STATUS], capture_output=True, check=True).stdout)
    assert outside["locked"] == "0"
    assert outside["rights"][3]


def test_b05_no_file_becomes_set_user_id(rig: SandboxRig, folder: Path) -> None:
    code = (
        CALLS
        + """
open("/tmp/a", "w").close()
print(json.dumps({"chmod": attempt(os.chmod, "/tmp/a", 0o4755), "mode": os.stat("/tmp/a").st_mode & 0o7000,
                  "mknod": attempt(os.mknod, "/tmp/device", 0o020666, 0x101)}))
"""
    )
    assert rig.reached(code) == {"chmod": "EPERM", "mode": 0, "mknod": "EPERM"}
    with rig_with(base_filter=None) as bare:
        assert bare.reached(code)["mode"] == 0o4000


NAMESPACES = (
    CALLS
    + """
import threading
found = {
    "setns": attempt(lambda: call("setns", os.open("/proc/1/ns/mnt", os.O_RDONLY), 0)),
    "chroot": call("chroot", b"/tmp"),
    "pivot_root": call("pivot_root", b"/tmp", b"/tmp"),
    "umount": call("umount2", b"/proc", 2),
    "fsopen": call("fsopen", b"tmpfs", 0),
    "open_tree": call("open_tree", -100, b"/tmp", 1),
    "move_mount": call("move_mount", -1, b"", -100, b"/tmp", 4),
    "clone3": call("clone3", bytes(88), 8),
    "mount namespace": call("unshare", 0x20000),
    "user namespace": call("unshare", 0x10020000),
    "mount": call("mount", b"none", b"/tmp", b"tmpfs", 0, None),
}
done = []
thread = threading.Thread(target=done.append, args=(1,))
thread.start()
thread.join()
found["threads"] = done
print(json.dumps(found))
"""
)


def test_b06_namespaces_and_mounts_are_refused_and_threads_are_not(rig: SandboxRig) -> None:
    for may_execute in (False, True):
        found = rig.reached(NAMESPACES, may_execute=may_execute)
        assert found.pop("threads") == [1]
        assert found.pop("clone3") == "ENOSYS"
        assert found.pop("setns") in ("EPERM", "EACCES")
        assert set(found.values()) == {"EPERM"}


def test_b06_without_the_filter_bubblewrap_refuses_and_without_both_a_namespace_is_made() -> None:
    with rig_with(base_filter=None, second_filter=False) as guarded:
        found = guarded.reached(NAMESPACES)
        assert found["user namespace"] == "ENOSPC"
        assert found["mount"] != "done"
    with rig_with(base_filter=None, second_filter=False, landlock=False, without=("--disable-userns",)) as bare:
        found = bare.reached(NAMESPACES)
        assert (found["user namespace"], found["mount"]) == ("done", "done")


OTHER_ABIS = (
    CALLS
    + """
import mmap
# mov eax, 20 (getpid of i386); int 0x80; ret
code = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")
function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
print(json.dumps({"x32": call(39 | 0x40000000), "future": call(999), "pid": os.getpid()}), flush=True)
print(json.dumps({"i386": function()}), flush=True)
"""
)


# The calls of another machine are those of this one only.
@pytest.mark.parametrize("code", [OTHER_ABIS] if platform.machine() == "x86_64" else [])
def test_b07_system_calls_of_another_kind_are_unknown_or_kill(rig: SandboxRig, code: str) -> None:
    result = rig.run_python(code)
    told = json.loads(result.stdout.text())
    assert (told["x32"], told["future"]) == ("ENOSYS", "ENOSYS")
    assert (result.reason, result.signal) == (EndReason.POLICY, signal.SIGSYS)
    with rig_with(base_filter=None, second_filter=False) as bare:
        result = bare.run_python(OTHER_ABIS)
        # A kernel without 32-bit programs kills it by itself, in another way; x32 is not there on most kernels either.
        assert result.signal in (None, signal.SIGSEGV)
        if result.is_success:
            first, second = map(json.loads, result.stdout.text().splitlines())
            assert second["i386"] == first["pid"]


SURFACE = (
    CALLS
    + """
handle = bytes([120, 0, 0, 0]) + bytes(124)
found = {
    "io_uring_setup": call("io_uring_setup", 1, bytes(120)),
    "io_uring_enter": call("io_uring_enter", 0, 0, 0, 0, None, 0),
    "io_uring_register": call("io_uring_register", 0, 0, None, 0),
    "bpf": call("bpf", 0, bytes(72), 72),
    "perf_event_open": call("perf_event_open", bytes(112), 0, -1, -1, 0),
    "userfaultfd": call("userfaultfd", 1),
    "keyctl": call("keyctl", 0, -2, 1),
    "add_key": call("add_key", b"user", b"test", b"x", 1, -2),
    "kexec_load": call("kexec_load", 0, 0, None, 0),
    "init_module": call("init_module", None, 0, b""),
    "quotactl": call("quotactl", 0, None, 0, None),
    "name_to_handle_at": call("name_to_handle_at", -100, b"/tmp", handle, bytes(8), 0),
    "open_by_handle_at": call("open_by_handle_at", -100, handle, 0),
    "personality": call("personality", 0x0040000),
    "kcmp": call("kcmp", os.getpid(), os.getpid(), 0, 0, 0),
    "syslog": call("syslog", 3, bytes(10), 10),
    "memfd that can be executed": call("memfd_create", b"x", 0),
    "unknown": call(999),
}
print(json.dumps(found))
"""
)


def test_b08_and_b09_the_corners_of_the_kernel_are_closed(rig: SandboxRig) -> None:
    for may_execute in (False, True):
        found = rig.reached(SURFACE, may_execute=may_execute)
        assert found.pop("unknown") == "ENOSYS"
        assert set(found.values()) == {"EPERM"}
    with rig_with(base_filter=None, second_filter=False) as bare:
        found = bare.reached(SURFACE)
    # Those that a kernel leaves to everybody; the others need rights that nobody has in there anyway.
    for name in ("keyctl", "add_key", "personality", "name_to_handle_at", "kcmp", "memfd that can be executed"):
        assert found[name] == "done", name
    assert found["io_uring_enter"] not in ("EPERM", "ENOSYS") or io_uring_is_off()


def io_uring_is_off() -> bool:
    switch = Path("/proc/sys/kernel/io_uring_disabled")
    return not switch.exists() or switch.read_text().strip() != "0"


TERMINAL = (
    CALLS
    + """
import fcntl, termios
def open_terminal():
    os.close(os.open("/dev/tty", os.O_RDWR))

found = {"tty": attempt(open_terminal), "streams": [os.isatty(each) for each in range(3)], "terminals": []}
for number in range(3, 100):
    if os.isatty(number):
        found["terminals"].append(number)
        found["taken"] = attempt(fcntl.ioctl, number, termios.TIOCSCTTY, 0)
        found["typed"] = attempt(fcntl.ioctl, number, termios.TIOCSTI, b"x")
print(json.dumps(found))
"""
)


def test_b10_nothing_is_typed_into_the_terminal_of_the_server(rig: SandboxRig) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(slave, False)
    keep_open = "self._close_range.close(3)"
    try:
        assert rig.reached(TERMINAL)["terminals"] == []
        with rig_with(descriptors=(slave,)) as careless:
            found = careless.reached(TERMINAL)
            assert (found["tty"], found["streams"], found["terminals"]) == ("ENXIO", [False] * 3, [])
        # Even with the terminal in its hands.
        with rig_with(descriptors=(slave,), runner=lambda text: text.replace(keep_open, "pass")) as given:
            found = given.reached(TERMINAL)
            assert (found["terminals"], found["typed"]) == ([slave], "EPERM")
        assert typed_into(slave) == b""
        with rig_with(
            descriptors=(slave,), base_filter=None, runner=lambda text: text.replace(keep_open, "pass")
        ) as bare:
            found = bare.reached(TERMINAL)
        # Kernels since 6.2 may be told to do without it.
        is_there = read_switch("/proc/sys/dev/tty/legacy_tiocsti", "1") == "1"
        assert (found["typed"], typed_into(slave)) == (("done", b"x") if is_there else ("EIO", b""))
    finally:
        os.close(master)
        os.close(slave)


def typed_into(slave: int) -> bytes:
    try:
        return os.read(slave, 10)
    except (BlockingIOError, termios.error):
        return b""


def read_switch(path: str, default: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return default
