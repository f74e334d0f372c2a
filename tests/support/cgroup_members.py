"""Processes to put into a control group: each waits for a line before it does anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

# Eight that outlive parent and session, as who does not want to be found. Each says that it is there, and so does the
# first when those in between have gone.
DAEMONS = """
import os, signal, sys
sys.stdin.readline()
for _ in range(8):
    between = os.fork()
    if between == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(1, b".")
            while True:
                signal.pause()
        os._exit(0)
    os.waitpid(between, 0)
os.write(1, b".")
while True:
    signal.pause()
"""

# Each of them starts another as soon as it can.
RACERS = """
import os, sys
sys.stdin.readline()
os.write(1, b".")
while True:
    try:
        os.fork()
    except OSError:
        pass
"""

COUNTER = """
import os, signal, sys
sys.stdin.readline()
count = 0
try:
    while count < 64:
        if os.fork() == 0:
            while True:
                signal.pause()
        count += 1
except OSError as error:
    print(count, error.strerror, flush=True)
while True:
    signal.pause()
"""

EATER = """
import sys
sys.stdin.readline()
print(len(bytearray(64 << 20)))
"""


class Group(Protocol):
    """What a group of either version does here."""

    def add(self, pid: int) -> None: ...


@contextmanager
def member(group: Group, source: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process, put it into the group, and let it begin."""
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            group.add(process.pid)
            assert process.stdin is not None
            process.stdin.write(b"\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()
