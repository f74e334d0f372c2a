"""Attacking a sandbox from inside, to see whether it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_ATTACKS: Final = """
import ctypes, errno, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
found = {}
def attack(name):
    def note(function):
        try:
            found[name] = function()
        except BaseException as error:
            found[name] = False
        return function
    return note
def call(*arguments):
    return libc.syscall(*arguments) >= 0

@attack("file")
def _():
    return open(canary["file"], "rb").read(1) == b"c"
@attack("file through /proc")
def _():
    return any(os.access(f"/proc/{pid}/root{canary['file']}", os.R_OK) for pid in os.listdir("/proc") if pid.isdigit())
@attack("process")
def _():
    os.kill(canary["pid"], 0)
    return os.readlink(f"/proc/{canary['pid']}/ns/pid") != "" and str(canary["pid"]) in os.listdir("/proc")
@attack("environment")
def _():
    for pid in os.listdir("/proc"):
        if pid.isdigit():
            try:
                if canary["word"].encode() in open(f"/proc/{pid}/environ", "rb").read():
                    return True
            except OSError:
                pass
    return canary["word"] in os.environ.values()
@attack("loopback")
def _():
    import socket
    with socket.create_connection(("127.0.0.1", canary["port"]), 1):
        return True
@attack("unix socket")
def _():
    import socket
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(1)
        plug.connect(canary["socket"])
        return True
@attack("abstract socket")
def _():
    import socket
    with socket.socket(socket.AF_UNIX) as plug:
        plug.settimeout(1)
        plug.connect("\\0" + canary["abstract"])
        return True
@attack("program")
def _():
    pid = os.fork()
    if pid == 0:
        try:
            os.execv("/bin/true", ["true"])
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
@attack("user namespace")
def _():
    return libc.unshare(0x10000000) == 0
@attack("writing outside")
def _():
    path = canary["directory"] + "/written"
    with open(path, "w"):
        pass
    os.unlink(path)
    return True
@attack("privilege")
def _():
    status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
    held = any(int(status[each], 16) for each in ("CapEff", "CapPrm", "CapInh", "CapAmb"))
    return held or status["NoNewPrivs"].strip() != "1" or status["Seccomp"].strip() != "2"
@attack("set user id")
def _():
    path = os.environ.get("TMPDIR", "/tmp") + "/mcp-server-probe"
    open(path, "w").close()
    try:
        os.chmod(path, 0o4755)
        return bool(os.stat(path).st_mode & 0o4000)
    finally:
        os.unlink(path)
print(json.dumps(found))
"""

FORBIDDEN_TO_ALL: Final = frozenset({"user namespace", "privilege"})
"""Attacks that some systems stop everywhere: outside a sandbox they may fail without being broken."""


@dataclass(frozen=True, slots=True)
class BarrierProbe:
    """A program that tries to get out, and tells what it reached.

    Each attack reaches a canary: something that is there for whoever is not contained. So the same program, run
    outside, must reach them all, or it proves nothing inside.

    Args:
        file: A file that everybody may read, holding `c`.
        directory: A directory that everybody may write into.
        pid: The server's process.
        word: A value in the server's environment.
        port: A port that somebody listens on, at the host's 127.0.0.1.
        socket: The path of a socket that somebody listens on.
        abstract: The name of such a socket without a path.

    >>> probe = BarrierProbe("/c", "/d", 1, "word", 1, "/s", "a")
    >>> reached = dict.fromkeys(probe.attacks(), False) | {"loopback": True}
    >>> probe.open_barriers(json.dumps(reached))
    ['loopback']
    """

    file: str
    directory: str
    pid: int
    word: str
    port: int
    socket: str
    abstract: str

    @property
    def code(self) -> str:
        """The program."""
        canary = {name: getattr(self, name) for name in self.__slots__}
        return f"canary = {canary!r}\n{_ATTACKS}"

    @staticmethod
    def attacks() -> tuple[str, ...]:
        """Return the names of all attacks."""
        return tuple(line.split('"')[1] for line in _ATTACKS.splitlines() if line.startswith("@attack("))

    def open_barriers(self, output: str) -> list[str]:
        """Return the attacks that reached their canary, or of which nothing is known, by what the program wrote."""
        try:
            found = json.loads(output)
        except ValueError:
            found = None
        told: Mapping[str, Any] = found if isinstance(found, dict) else {}
        return [name for name in self.attacks() if told.get(name) is not False]
