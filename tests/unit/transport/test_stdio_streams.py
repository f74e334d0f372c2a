from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_server.transport.stdio_streams import StdioStreams

TAKE = (
    "from mcp_server.transport.stdio_streams import StdioStreams\nimport os, sys\nstreams = StdioStreams.take_over()\n"
)


def run(program: str, *, given: bytes = b"", close: str = "", checkout: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", TAKE + program]
    if close:
        # A shell that closes a descriptor before the program starts, as some launchers do.
        command = ["sh", "-c", f'exec "$@" {close}', "sh", *command]
    return subprocess.run(command, input=given, capture_output=True, check=False, cwd=checkout, timeout=60)


def test_the_protocol_keeps_its_pipes_and_everybody_else_gets_harmless_ones(checkout: Path) -> None:
    program = """
print("noise")
os.write(1, b"more noise\\n")
os.system("echo child noise")
assert sys.stdin.read() == ""
assert os.read(0, 10) == b""
os.write(streams.write_fd, os.read(streams.read_fd, 100))
"""
    done = run(program, given=b"message", checkout=checkout)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"message"
    assert sorted(done.stderr.split(b"\n")) == [b"", b"child noise", b"more noise", b"noise"]


def test_no_child_inherits_the_protocol(checkout: Path) -> None:
    done = run("os.system('ls /proc/self/fd')\nprint(streams.read_fd, streams.write_fd)", checkout=checkout)
    *open_in_child, own = done.stderr.decode().split("\n")[:-1]
    read_fd, write_fd = own.split()
    # `ls` has the standard three and the directory it lists.
    assert len(open_in_child) == 4
    assert (read_fd in open_in_child, write_fd in open_in_child) in ((False, False), (True, False))


@pytest.mark.parametrize("close", ["2>&-", "2>/dev/null"])
def test_a_program_started_without_stderr_serves_all_the_same(checkout: Path, close: str) -> None:
    program = """
assert min(streams.read_fd, streams.write_fd) >= 3, streams
try:
    os.write(2, b"lost")
    os.write(1, b"lost")
except OSError:
    pass
assert os.read(0, 10) == b""
assert os.open("/dev/null", os.O_RDONLY) >= 3
os.write(streams.write_fd, os.read(streams.read_fd, 100))
"""
    done = run(program, given=b"message", close=close, checkout=checkout)
    assert done.returncode == 0
    assert done.stdout == b"message"


def test_the_peer_is_the_parent_under_our_own_user() -> None:
    streams = StdioStreams(*os.pipe())
    peer = streams.peer()
    assert (peer.uid, peer.pid) == (os.getuid(), os.getppid())
    assert peer.program
    streams.close()


def test_a_parent_whose_name_cannot_be_told_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = StdioStreams(*os.pipe())
    monkeypatch.setattr(os, "getppid", lambda: 2**30)
    assert streams.peer().program is None
    streams.close()


def test_closing_closes_both_ends() -> None:
    streams = StdioStreams(*os.pipe())
    streams.close()
    for descriptor in (streams.read_fd, streams.write_fd):
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
