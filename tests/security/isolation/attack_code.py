"""Pieces of the programs that attack from inside."""

from __future__ import annotations

import platform

from mcp_server.resources.isolation.syscall_table import SyscallTable

NUMBERS = dict(SyscallTable.of(platform.machine()).numbers)

CALLS = f"""
import ctypes, errno, json, os, sys
numbers = {NUMBERS!r}
library = ctypes.CDLL(None, use_errno=True)
library.syscall.restype = ctypes.c_long

def call(name, *words):
    "Make a system call past the C library, and return `done` or the name of the error."
    number = numbers[name] if isinstance(name, str) else name
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in words]
    if library.syscall(ctypes.c_long(number), *words) >= 0:
        return "done"
    return errno.errorcode[ctypes.get_errno()]

def attempt(function, *arguments):
    "Call a function, and return `done` or the name of the error."
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno] if error.errno else repr(error)
    return "done"
"""

DAEMONS = """
import os, signal, sys
marker, count = sys.argv[1], int(sys.argv[2])
reading, writing = os.pipe()
for _ in range(count):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            for stream in range(3):
                os.close(stream)
            os.execv("/bin/sleep", ["/bin/sleep", marker])
        os._exit(0)
    os.wait()
os.close(writing)
# It ends when the last of them has become another program.
assert os.read(reading, 1) == b""
print("ready", flush=True)
"""
"""Leave processes behind that nothing inside ends: of sessions of their own, deaf, and without an output."""
