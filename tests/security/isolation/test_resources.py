"""Memory, processes, time, output and input: whatever a run takes, it comes to its bound."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.isolation.control_groups import ControlGroups
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.isolation_tier import IsolationTier
from mcp_server.resources.isolation.resource_limits import MEBIBYTES
from tests.security.isolation.sandbox_rig import SandboxRig, in_loop, request, rig_with

SMALL = 64 * MEBIBYTES


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


MEMORY = """
import json, mmap, sys
def taken(pieces):
    held = []
    try:
        while len(held) < pieces:
            held.append(bytearray(8 << 20))
    except MemoryError:
        pass
    return len(held) * 8

def mapped(pieces):
    held = []
    try:
        while len(held) < pieces:
            held.append(mmap.mmap(-1, 8 << 20))
            held[-1][::4096] = b"x" * 2048
    except (MemoryError, OSError):
        pass
    return len(held) * 8
pieces = int(sys.argv[1])
print(json.dumps({"heap": taken(pieces), "mapped": mapped(pieces)}))
"""


def test_d01_memory_ends_at_the_bound_and_the_server_does_not_grow(rig: SandboxRig) -> None:
    before = resident_bytes()
    found = rig.reached(MEMORY, arguments=("20",), memory_bytes=SMALL)
    assert 8 <= found["heap"] <= 64
    assert found["mapped"] <= 128
    found = rig.reached(MEMORY, arguments=("20",), memory_bytes=SMALL, may_execute=True)
    assert 8 <= found["heap"] <= 64
    assert resident_bytes() - before < 20 * MEBIBYTES
    with rig_with(limits=False) as bare:
        assert bare.reached(MEMORY, arguments=("20",), memory_bytes=SMALL) == {"heap": 160, "mapped": 160}


def test_d01_a_file_in_memory_ends_at_the_bound(rig: SandboxRig) -> None:
    code = """
import errno, json, os
def written(descriptor):
    total = 0
    try:
        while total < 256:
            total += os.write(descriptor, bytes(1 << 20)) >> 20
    except OSError as error:
        return total, errno.errorcode[error.errno]
    return total, "done"
found = {name: written(os.open(f"{name}/big", os.O_CREAT | os.O_WRONLY)) for name in ("/tmp", "/dev/shm", "/workspace")}
found["nameless"] = written(os.memfd_create("x", 8))
print(json.dumps(found))
"""
    found = rig.reached(code, may_write=True, tmp_bytes=16 * MEBIBYTES, file_bytes=32 * MEBIBYTES)
    assert {tuple(found[name]) for name in ("/tmp", "/dev/shm", "/workspace")} == {(16, "ENOSPC")}
    assert tuple(found["nameless"]) == (32, "EFBIG")
    with rig_with(limits=False) as bare:
        assert bare.reached(code, may_write=True)["nameless"] == [256, "done"]


FAMILY = """
import json, os, sys
pipes, (go, keep) = [], os.pipe()
for _ in range(int(sys.argv[1])):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        os.close(keep)
        held = []
        try:
            while len(held) < 10:
                held.append(bytearray(b"x") * (8 << 20))
        except MemoryError:
            pass
        os.write(writing, bytes([len(held)]))
        os.read(go, 1)
        os._exit(0)
    os.close(writing)
    pipes.append(reading)
# All of them hold what they have, at once; who was killed says nothing.
told = [os.read(reading, 1) for reading in pipes]
print(json.dumps([each[0] * 8 for each in told if each]), flush=True)
sys.exit(b"" in told)
"""


def test_d02_memory_of_many_processes_is_bounded_for_each_and_the_tier_says_so(rig: SandboxRig) -> None:
    result = rig.run_python(FAMILY, arguments=("4",), memory_bytes=SMALL, may_execute=True)
    taken = json.loads(result.stdout.text())
    assert max(taken) <= 64
    # Without a control group that is all; the name of the tier is what tells a client.
    assert result.tier is IsolationTier.NS


# Most systems let nobody but their manager make control groups.
@pytest.mark.parametrize("groups", [each for each in [ControlGroups.find()] if each is not None])
def test_d02_a_control_group_bounds_them_together(groups: ControlGroups) -> None:
    with rig_with(groups=groups) as rig:
        result = rig.run_python(FAMILY, arguments=("8",), memory_bytes=2 * SMALL, may_execute=True)
        assert result.tier is IsolationTier.FULL
        assert result.reason is EndReason.MEMORY
        fits = rig.run_python(FAMILY, arguments=("2",), memory_bytes=4 * SMALL, may_execute=True)
        assert fits.reason is EndReason.EXIT
        assert fits.peak_memory_bytes is not None
        assert 2 * 80 * MEBIBYTES < fits.peak_memory_bytes < 5 * SMALL


FORKS = """
import errno, json, os, signal, sys
most, count, told = int(sys.argv[1]), 0, "done"
while count < most:
    try:
        if os.fork() == 0:
            signal.pause()
    except OSError as error:
        told = errno.errorcode[error.errno]
        break
    count += 1
print(json.dumps({"processes": count, "told": told}))
"""
THREADS = """
import json, sys, threading
most, told, threads, wait = int(sys.argv[1]), "done", [], threading.Event()
while len(threads) < most:
    thread = threading.Thread(target=wait.wait)
    try:
        thread.start()
    except RuntimeError as error:
        told = str(error)
        break
    threads.append(thread)
wait.set()
print(json.dumps({"threads": len(threads), "told": told}))
"""


def test_d03_processes_and_threads_end_at_the_bound(rig: SandboxRig) -> None:
    found = rig.reached(FORKS, arguments=("60",), processes=20, may_execute=True)
    assert found["told"] == "EAGAIN"
    assert 10 <= found["processes"] < 20
    found = rig.reached(THREADS, arguments=("60",), processes=20)
    assert found["told"] == "can't start new thread"
    assert 10 <= found["threads"] < 20
    with rig_with(limits=False) as bare:
        options: dict[str, Any] = {"arguments": ("60",), "processes": 20, "may_execute": True}
        assert bare.reached(FORKS, **options) == {"processes": 60, "told": "done"}
        assert bare.reached(THREADS, **options) == {"threads": 60, "told": "done"}


def test_d03_while_one_forks_as_fast_as_it_can_another_of_the_same_client_runs(rig: SandboxRig) -> None:
    bomb = """
import os
print("ready", flush=True)
while True:
    try:
        os.fork()
    except OSError:
        pass
"""

    async def run() -> tuple[Any, Any]:
        ready = asyncio.Event()
        bombing = asyncio.ensure_future(
            rig.run(
                request(
                    code=bomb, may_execute=True, processes=30, wall_seconds=2, on_output=lambda name, piece: ready.set()
                )
            )
        )
        await ready.wait()
        other = await rig.run(request(code="print(1)"))
        return other, await bombing

    other, bombing = in_loop(run())
    assert other.is_success
    assert bombing.reason in (EndReason.TIMEOUT, EndReason.CPU)


def test_d04_processor_time_and_time_are_bounded_whatever_is_ignored(rig: SandboxRig) -> None:
    deaf = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    result = rig.run_python("while True: pass", cpu_seconds=1)
    assert (result.reason, result.is_success) == (EndReason.CPU, False)
    result = rig.run_python(deaf, cpu_seconds=1)
    assert result.reason is EndReason.CPU
    assert result.cpu_seconds is not None
    assert 1 <= result.cpu_seconds < 3
    with rig_with(limits=False) as bare:
        # What then ends it is the other bound.
        assert bare.run_python(deaf, cpu_seconds=1, wall_seconds=2.5).reason is EndReason.TIMEOUT


def test_d04_a_chain_of_processes_does_not_outrun_the_clock(rig: SandboxRig) -> None:
    # Each has its own count of processor time, and hands over before it is used up.
    chain = """
import os, time
while True:
    if os.fork():
        os._exit(0) if os.getppid() != 2 else os.wait()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
"""
    started = time.monotonic()
    result = rig.run_python(chain, may_execute=True, cpu_seconds=1, wall_seconds=1)
    assert result.reason in (EndReason.TIMEOUT, EndReason.EXIT)
    assert time.monotonic() - started < 10


FLOODS = {
    "lines": "while True: print('y' * 79)",
    "one endless line": "import os\nwhile True: os.write(1, b'x' * 65536)",
    "binary": "import os\nwhile True: os.write(1, os.urandom(65536))",
    "errors": "import os\nwhile True: os.write(2, b'\\xff' * 65536)",
    "both": "import os\nwhile True: os.write(1, b'x' * 65536); os.write(2, b'y' * 65536)",
}


@pytest.mark.parametrize("flood", FLOODS)
def test_d06_a_flood_is_stopped_and_only_its_ends_are_kept(flood: str, rig: SandboxRig) -> None:
    before = resident_bytes()
    result = rig.run_python(FLOODS[flood], stdout_bytes=100_000, stderr_bytes=100_000)
    assert (result.reason, result.exit_code) == (EndReason.OUTPUT, None)
    flooded = result.stderr if flood == "errors" else result.stdout
    assert flooded.is_truncated or result.stderr.is_truncated
    for stream in (result.stdout, result.stderr):
        assert len(stream.head) + len(stream.tail) <= 100_000
        assert "bytes left out" in stream.text() or not stream.is_truncated
    assert resident_bytes() - before < 20 * MEBIBYTES
    # It is not the clock that ended it.
    assert result.wall_seconds < 10


def test_d06_a_flood_of_a_program_ends_the_program_and_its_children(rig: SandboxRig) -> None:
    result = rig.run_program("/bin/sh", "-c", "yes & yes >&2 & yes & wait", stdout_bytes=10_000)
    assert result.reason is EndReason.OUTPUT
    assert result.stdout.head.startswith(b"y\ny\n")


def test_d06_long_output_that_is_no_flood_is_shortened_and_the_run_goes_on(rig: SandboxRig) -> None:
    result = rig.run_python("print('a' * 5000 + 'b' * 5000, end=''); print('c')", stdout_bytes=1000)
    assert result.is_success
    assert (result.stdout.head, result.stdout.tail) == (b"a" * 500, b"b" * 498 + b"c\n")
    assert result.stdout.seen_bytes == 10_002


def test_d06_an_output_that_a_child_keeps_open_does_not_hold_the_run_up(rig: SandboxRig) -> None:
    # What nobody reads to its end: the child of a program that has ended holds the pipe, and writes on.
    code = """
import os, sys
if os.fork() == 0:
    os.setsid()
    while True:
        os.write(1, b"x")
print("parent", flush=True)
os._exit(7)
"""
    result = rig.run_python(code, may_execute=True)
    assert (result.reason, result.exit_code) == (EndReason.EXIT, 7)
    assert b"parent" in result.stdout.head


def test_d06_who_is_told_of_the_output_cannot_stop_the_run(rig: SandboxRig) -> None:
    told: list[tuple[str, bytes]] = []
    code = "import os\nfor n in range(3): os.write(1, b'o'); os.write(2, b'e')"
    result = rig.run_python(code, on_output=lambda name, piece: told.append((name, piece)))
    assert result.is_success
    streams = {name: b"".join(piece for each, piece in told if each == name) for name in ("stdout", "stderr")}
    assert streams == {"stdout": b"ooo", "stderr": b"eee"}
    assert (result.stdout.text(), result.stderr.text()) == ("ooo", "eee")


def test_d07_there_is_nothing_to_wait_for_at_the_input(rig: SandboxRig) -> None:
    assert rig.run_python("import sys; print(repr(sys.stdin.read()))").stdout.text() == "''\n"
    assert rig.run_program("/bin/cat").is_success
    with pytest.raises(EOFError):
        raise EOFError(rig.run_python("input()").stderr.text())
    assert "EOFError" in rig.run_python("input()").stderr.text()


def test_d07_input_is_given_to_its_last_byte_or_not_wanted(rig: SandboxRig) -> None:
    text = bytes(range(256)) * 8192
    count = "import sys; print(len(sys.stdin.buffer.read()))"
    assert rig.run_python(count, stdin=text).stdout.text() == f"{len(text)}\n"
    assert rig.run_python("print('no, thanks')", stdin=text).stdout.text() == "no, thanks\n"
    assert rig.run_python("import os; os.close(0); print(1)", stdin=text).is_success
    slow = "import signal; signal.pause()"
    assert rig.run_python(slow, stdin=text, wall_seconds=0.3).reason is EndReason.TIMEOUT
    with pytest.raises(ValueError, match="more input"):
        rig.run_python(count, stdin=text, stdin_bytes=10)


def test_d07_the_streams_are_no_files_that_could_be_opened_again(rig: SandboxRig) -> None:
    code = "import json, os; print(json.dumps([os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in range(3)]))"
    assert rig.reached(code, may_execute=True, stdin=b"x") == ["pipe"] * 3
    assert rig.reached(code) == ["pipe"] * 3


def test_d08_a_trickle_ends_with_the_time(rig: SandboxRig) -> None:
    result = rig.run_python(
        "import select\nwhile True: print('.', flush=True); select.select([], [], [], 0.01)", wall_seconds=0.5
    )
    assert (result.reason, result.stdout.is_truncated) == (EndReason.TIMEOUT, False)
    assert result.stdout.head.startswith(b".\n.\n")
    assert 0.5 <= result.wall_seconds < 5
