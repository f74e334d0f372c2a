"""Whatever way a run ends, nothing of it is left when it is over, and how it ended is told truly."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_server.resources.isolation import launcher as launcher_module
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.sandbox_shape import SandboxShape
from mcp_server.resources.kernel.pidfd import PidFd
from tests.security.isolation.attack_code import DAEMONS
from tests.security.isolation.sandbox_rig import (
    OWNER,
    SandboxRig,
    in_loop,
    outcome,
    processes_with,
    request,
    rig_with,
)

COUNT = 10


def daemons(marker: str) -> list[int]:
    return processes_with(f"/bin/sleep\0{marker}\0")


def of_namespace(pid: int) -> list[int]:
    """Return the processes that are in a process's namespace of processes, unless that is our own."""
    found = []
    with contextlib.suppress(OSError):
        namespace = os.readlink(f"/proc/{pid}/ns/pid")
        if namespace != os.readlink("/proc/self/ns/pid"):
            for other in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{other}/ns/pid") == namespace:
                        found.append(int(other))
    return found


@pytest.fixture
def marker() -> Iterator[str]:
    """How long the daemons of this test sleep: their last word, by which they are found."""
    marker = f"{secrets.randbelow(10**9)}.{secrets.randbelow(10**9) + 10**9}"
    yield marker
    for pid in {each for daemon in daemons(marker) for each in (daemon, *of_namespace(daemon))}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def with_daemons(ending: str, marker: str, **options: Any) -> Any:
    return request(
        code=f"{DAEMONS}\n{ending}",
        arguments=(marker, str(COUNT)),
        **({"may_execute": True, "processes": 128} | options),
    )


ENDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "success": ("", {}, {"reason": "exit", "exit_code": 0, "signal": None}),
    "error": ("sys.exit(3)", {}, {"reason": "exit", "exit_code": 3, "signal": None}),
    "crash": (
        "os.kill(os.getpid(), signal.SIGSEGV)",
        {},
        {"reason": "signal", "exit_code": None, "signal": signal.SIGSEGV},
    ),
    "timeout": (
        "signal.pause()",
        {"wall_seconds": 1.0},
        {"reason": "timeout", "exit_code": None, "signal": None},
    ),
    "flood": (
        "while True: os.write(1, bytes(65536))",
        {"stdout_bytes": 1000},
        {"reason": "output", "exit_code": None, "signal": None},
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_b13_no_daemon_is_left_when_a_run_has_ended(end: str, rig: SandboxRig, marker: str) -> None:
    ending, options, expected = ENDS[end]

    async def run() -> tuple[Any, list[int]]:
        result = await rig.run(with_daemons(ending, marker, **options))
        return result, daemons(marker)

    result, left = in_loop(run())
    assert outcome(result) == expected
    assert result.stdout.text().startswith("ready")
    # Not half a second later, but at once: what the run wrote is looked at now.
    assert left == []


def test_b13_no_daemon_is_left_when_the_call_is_cancelled(rig: SandboxRig, marker: str) -> None:
    async def run() -> tuple[int, list[int]]:
        ready = asyncio.Event()
        task = asyncio.ensure_future(
            rig.run(with_daemons("signal.pause()", marker, on_output=lambda name, piece: ready.set()))
        )
        await ready.wait()
        before = len(daemons(marker))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return before, daemons(marker)

    assert in_loop(run()) == (COUNT, [])


def test_b13_without_a_namespace_of_processes_all_of_them_survive(marker: str) -> None:
    async def run(bare: SandboxRig) -> int:
        await bare.run(with_daemons("", marker))
        return len(daemons(marker))

    # What they hold of the limits is the user's own then, and not the sandbox's.
    with rig_with(shared=("pid",), without=("--die-with-parent",), limits=False) as bare:
        assert in_loop(run(bare)) == COUNT


SERVER = """
import sys
from tests.security.isolation.attack_code import DAEMONS
from tests.security.isolation.sandbox_rig import SandboxRig
rig = SandboxRig(without=sys.argv[2].split())
tell = lambda name, piece: print("ready", flush=True)
rig.run_python(DAEMONS + "signal.pause()", arguments=(sys.argv[1], "10"), may_execute=True, on_output=tell)
"""


@pytest.fixture
def serve(checkout: Path, marker: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a server that runs a sandbox, and return it when the daemons in there run."""
    started: list[subprocess.Popen[str]] = []

    def serve(*without: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SERVER, marker, " ".join(without)]
        server = subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, text=True)
        started.append(server)
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        return server

    yield serve
    for server in started:
        server.kill()
        server.communicate()


def ended_within(pids: list[int], seconds: float) -> int:
    """Return how many of these processes end within so many seconds."""
    poll = select.poll()
    with contextlib.ExitStack() as stack:
        running = {}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                process = stack.enter_context(PidFd.open(pid))
                running[process.fileno()] = process
                poll.register(process.fileno(), select.POLLIN)
        deadline = time.monotonic() + seconds
        while running and (left := deadline - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(left * 1000):
                poll.unregister(descriptor)
                del running[descriptor]
        return len(pids) - len(running)


def test_b14_no_daemon_outlives_a_server_that_is_killed(
    serve: Callable[..., subprocess.Popen[str]], marker: str
) -> None:
    server = serve()
    inside = daemons(marker)
    assert len(inside) == COUNT
    server.kill()
    server.wait()
    assert ended_within(inside, 1.0) == COUNT
    assert daemons(marker) == []


def test_b14_without_that_option_they_outlive_it(serve: Callable[..., subprocess.Popen[str]], marker: str) -> None:
    server = serve("--die-with-parent")
    inside = daemons(marker)
    server.kill()
    server.wait()
    assert ended_within(inside, 0.3) == 0


def test_b14_a_sandbox_that_is_not_needed_any_more_ends_at_whatever_point_it_is(folder: Path) -> None:
    # Half-made, the first process waits for what made it: when that is killed then, it waits for ever.
    with_a_name = folder / f"bwrap-{secrets.token_hex(8)}"
    with_a_name.symlink_to("/usr/bin/bwrap")

    async def run(rig: SandboxRig) -> None:
        for number in range(60):
            worker = await rig.factory._start(SandboxShape(1 << 20, owner=OWNER))
            instant = time.perf_counter() + number * 0.0001
            while time.perf_counter() < instant:
                pass
            worker.kill()
            await worker.ended()
            worker.close()

    with rig_with(program=str(with_a_name)) as rig:
        in_loop(run(rig))
        assert processes_with(with_a_name.name) == []


def test_b14_a_process_that_is_being_started_when_the_call_is_cancelled_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    started: list[subprocess.Popen[bytes]] = []
    given: list[list[str]] = []

    def slow(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        given.append([os.readlink(f"/proc/self/fd/{number}") for number in options["pass_fds"]])
        reached.set()
        assert go_on.wait(30)
        given.append([os.readlink(f"/proc/self/fd/{number}") for number in options["pass_fds"]])
        started.append(subprocess.Popen(*arguments, **options))
        return started[-1]

    class Slowly:
        """The module, as the launcher sees it."""

        DEVNULL = subprocess.DEVNULL
        Popen = staticmethod(slow)

    async def run(rig: SandboxRig) -> None:
        task = asyncio.ensure_future(rig.run(request(code="print(1)")))
        await asyncio.to_thread(reached.wait)
        task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        # Whoever opens something now gets the lowest numbers that are free.
        files = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        for number in files:
            os.close(number)

    with rig_with() as rig:
        monkeypatch.setattr(launcher_module, "subprocess", Slowly)
        in_loop(run(rig))
    # It was given what was meant for it, and was waited for.
    assert given[0] == given[1]
    assert [process.returncode is None for process in started] == [False]


@pytest.mark.parametrize("code", [0, 1, 2, 42, 126, 127, 128, 128 + 9, 254, 255])
def test_b21_every_exit_code_is_told_as_it_is(code: int, rig: SandboxRig) -> None:
    expected = {"reason": "exit", "exit_code": code, "signal": None}
    assert outcome(rig.run_python(f"import sys; sys.exit({code})")) == expected
    assert outcome(rig.run_program("/bin/sh", "-c", f"exit {code}")) == expected


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT", "SIGUSR1", "SIGALRM", "SIGPIPE"])
def test_b21_every_signal_is_told_apart_from_an_exit_code(number: str, rig: SandboxRig) -> None:
    expected = {"reason": "signal", "exit_code": None, "signal": signal.Signals[number].value}
    if number != "SIGPIPE":
        # Which an interpreter ignores.
        assert outcome(rig.run_python(f"import os, signal; os.kill(os.getpid(), signal.{number})")) == expected
    assert outcome(rig.run_program("/bin/sh", "-c", f"kill -{number[3:]} $$")) == expected


LIBRARY_SIGNALS = 1 << 31 | 1 << 32


def test_b21_programs_have_the_signals_that_programs_have(rig: SandboxRig) -> None:
    shown = rig.run_program("/bin/grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")
    masks = [int(line.split()[1], 16) for line in shown.stdout.text().splitlines()]
    # Two signals are the C library's own: nobody can set them, so they are as whoever started the tests left them.
    assert [mask & ~LIBRARY_SIGNALS for mask in masks] == [0, 0]
    shown = rig.run_program("/bin/bash", "-c", "yes | head -n 1; echo ${PIPESTATUS[0]}")
    assert (shown.stdout.text(), shown.stderr.text()) == ("y\n141\n", "")


def test_b21_what_cannot_be_executed_is_told_as_shells_tell_it(rig: SandboxRig) -> None:
    shown = rig.run_program("/nosuch")
    assert outcome(shown) == {"reason": "exit", "exit_code": 127, "signal": None}
    assert shown.stderr.text() == "/nosuch: No such file or directory\n"
    assert rig.run_program("/etc/passwd").exit_code == 127


def test_b21_no_end_can_be_feigned(rig: SandboxRig) -> None:
    # The socket to the server is gone, and the runner is out of reach; to end one's own sandbox is told as that.
    feigned = """
import os, json, signal
for number in range(3, 1024):
    try:
        os.write(number, b'{"exit": 0}\\n')
    except OSError:
        pass
for pid in (1, os.getppid()):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
print('{"exit": 0}', flush=True)
os._exit(5)
"""
    for may_execute in (False, True):
        assert outcome(rig.run_python(feigned, may_execute=may_execute))["exit_code"] == 5
    with rig_with(landlock=False) as filtered:
        result = filtered.run_python(feigned)
        # Without Landlock a process may signal others of its account: the run is over then, and told so.
        assert (result.reason, result.exit_code) == (EndReason.POLICY, None)


def test_b21_a_signal_of_its_own_does_not_look_like_a_bound(rig: SandboxRig) -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert rig.run_python(killed, cpu_seconds=1).reason is EndReason.SIGNAL
    slow = rig.run_python("import signal; signal.pause()", wall_seconds=0.3)
    assert outcome(slow) == {"reason": "timeout", "exit_code": None, "signal": None}
    assert 0.3 <= slow.wall_seconds < 5
