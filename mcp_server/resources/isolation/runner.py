"""The process inside the sandbox that runs what it is told, once."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import resource
import select
import signal
import stat
import sys
import threading

from mcp_server.resources.kernel.close_range import CloseRange
from mcp_server.resources.kernel.landlock import Landlock
from mcp_server.resources.kernel.prctl import Prctl
from mcp_server.resources.kernel.seccomp import Seccomp

# Read by type checkers alone; `typing` takes as long to import as all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, NoReturn

    from mcp_server.resources.isolation.relay import Relay

READY: Final = b"R"
"""Sent when the runner waits for its job."""

FAILED_EXIT: Final = 127
"""The exit code of a program that could not be executed, as shells have it."""

SNIPPET_NAME: Final = "<snippet>"

_MAX_ROUNDS: Final = 200
"""Rounds of killing what forks while it is killed; bounded, as it is, by the number of its processes."""

_RLIMITS: Final = {
    "address_space_bytes": resource.RLIMIT_AS,
    "core_bytes": resource.RLIMIT_CORE,
    "cpu_seconds": resource.RLIMIT_CPU,
    "data_bytes": resource.RLIMIT_DATA,
    "file_bytes": resource.RLIMIT_FSIZE,
    "open_files": resource.RLIMIT_NOFILE,
    "processes": resource.RLIMIT_NPROC,
}


class Runner:
    """Wait for one job, restrict a child to it, run it there, and tell how it ended.

    It knows no policy: limits, Landlock rules and filters are part of the job, and all of them are put in place before
    the first byte of what is run is looked at. When one cannot be, nothing is run. The parent stays outside the child's
    restrictions, so that the child can neither signal nor trace it, and cannot tell a false end.

    Runs with the standard library only, in an interpreter that has read no environment and no site directories.

    Args:
        control: The socket to the server.
        channel: The socket over which connections are handed to the server; None where nothing may be reached.
    """

    def __init__(self, control: int, channel: int | None = None) -> None:
        self._control = control
        # Before the job comes, so that a worker that waits has nothing left to import.
        self._prctl = Prctl()
        self._landlock = Landlock()
        self._seccomp = Seccomp()
        self._close_range = CloseRange()
        self._relay: Relay | None = None
        if channel is not None:
            # With the sockets of the standard library, which no other run needs.
            from mcp_server.resources.isolation.relay import Relay

            self._relay = Relay(channel)

    def serve(self) -> NoReturn:
        """Run one job."""
        # Nobody of the same account may look into this process, or open what it has open.
        self._prctl.set_dumpable(False)
        os.set_inheritable(self._control, False)
        os.write(self._control, READY)
        waiting = select.poll()
        waiting.register(self._control, select.POLLIN)
        if not waiting.poll(0):
            # Nobody waits yet: what nearly every program needs is there when it comes.
            _preload()
        job = self._receive()
        if job["shares_processes"]:
            # Whatever loses its parent becomes ours, and can be found.
            self._prctl.set_child_subreaper(True)
        child = os.fork()
        if child == 0:
            self._become(job)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        if job["shares_processes"]:
            self._wait_for(child)
        elif self._relay is not None:
            descriptor = os.pidfd_open(child)
            self._relay.serve_until(descriptor)
            os.close(descriptor)
        _, status, usage = os.wait4(child, 0)
        if job["shares_processes"]:
            self._end_descendants()
        end: dict[str, Any] = {"cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024}
        if os.WIFSIGNALED(status):
            end["signal"] = os.WTERMSIG(status)
        else:
            end["exit"] = os.WEXITSTATUS(status)
        os.write(self._control, json.dumps(end).encode() + b"\n")
        os._exit(0)

    def _wait_for(self, child: int) -> None:
        """Return when the child has ended; end it when the server has gone, or wants it to end."""
        descriptor = os.pidfd_open(child)
        waiting = select.poll()
        waiting.register(descriptor, select.POLLIN)
        waiting.register(self._control, select.POLLIN | select.POLLHUP)
        ready = {each for each, _ in waiting.poll()}
        os.close(descriptor)
        if descriptor not in ready:
            self._end_descendants(reaps=child)

    def _end_descendants(self, reaps: int = 0) -> None:
        """Kill every process that descends from this one: first they are stopped, or they would fork away.

        Args:
            reaps: A child that is killed and left for its own wait.
        """
        for _ in range(_MAX_ROUNDS):
            found = _descendants(os.getpid())
            if not found - {reaps}:
                break
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in found:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)
            for pid in found - {reaps}:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)
        if reaps:
            with contextlib.suppress(ProcessLookupError):
                os.kill(reaps, signal.SIGKILL)

    def _receive(self) -> dict[str, Any]:
        """Read the job: its length in eight bytes, then JSON."""
        size = int.from_bytes(self._read(8), "big")
        job: dict[str, Any] = json.loads(self._read(size))
        return job

    def _read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = os.read(self._control, min(size, 1 << 16))
            if not part:
                os._exit(0)  # the server needs no job done any more
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _become(self, job: dict[str, Any]) -> NoReturn:
        """Be the job; in the child, to its end."""
        try:
            self._restrict(job)
            # From here on even our own memory of the server is gone: descriptors, arguments, environment.
            self._close_range.close(3)
        except BaseException as error:  # noqa: BLE001 - whatever it is, nothing may run now
            # Told by the runner, for the child must not be able to tell it of itself later.
            failure = {"failed": f"{type(error).__name__}: {error}"}
            os.write(self._control, json.dumps(failure).encode() + b"\n")
            os._exit(FAILED_EXIT)
        if job["program"] is not None:
            self._execute(job)
        self._interpret(job)

    def _restrict(self, job: dict[str, Any]) -> None:
        """Put every barrier in place, from the widest to the narrowest."""
        os.setsid()
        os.chdir(job["directory"])
        os.umask(0o077)
        for name, value in job["limits"].items():
            soft = hard = value
            if name == "cpu_seconds":
                # The soft limit is told by a signal; the hard one, a second later, kills.
                hard += 1
            elif name == "processes" and job["shares_processes"]:
                # The limit counts all of the account's; those that are not ours are not the job's.
                soft = hard = value + _processes_of(os.getuid())
            resource.setrlimit(_RLIMITS[name], (soft, hard))
        self._prctl.set_no_new_privs()
        if job["landlock"] is not None:
            self._apply_landlock(**job["landlock"])
        for program in job["filters"]:
            self._seccomp.install(bytes.fromhex(program))

    def _apply_landlock(
        self,
        rules: list[tuple[str, int]],
        ports: list[tuple[int, int]],
        file_rights: int,
        handled_fs: int,
        handled_net: int,
        scoped: int,
    ) -> None:
        ruleset = self._landlock.create_ruleset(handled_fs=handled_fs, handled_net=handled_net, scoped=scoped)
        for path, access in rules:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            self._landlock.add_path(ruleset, descriptor, access if is_directory else access & file_rights)
            os.close(descriptor)
        for port, access in ports:
            self._landlock.add_port(ruleset, port, access)
        self._landlock.restrict_self(ruleset)
        os.close(ruleset)

    def _execute(self, job: dict[str, Any]) -> NoReturn:
        # The interpreter ignores these, and what is executed would inherit that.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        try:
            os.execve(job["program"], [job["program"], *job["arguments"]], job["environment"])  # noqa: S606 - no shell
        except OSError as error:
            os.write(2, f"{job['program']}: {error.strerror}\n".encode())
        os._exit(FAILED_EXIT)

    def _interpret(self, job: dict[str, Any]) -> NoReturn:
        """Run a Python program as the interpreter would run a script, in this very process."""
        code = job["code"]
        os.environ.clear()
        os.environ.update(job["environment"])
        sys.argv[:] = [SNIPPET_NAME, *job["arguments"]]
        # What is ours is not the program's.
        sys.path[:] = [each for each in sys.path if not each.startswith(job["hidden"])]
        for name in [name for name in sys.modules if name.split(".")[0] == "mcp_server"]:
            del sys.modules[name]
        main = type(sys)("__main__")
        main.__dict__["__builtins__"] = __builtins__
        sys.modules["__main__"] = main
        status = 0
        try:
            exec(compile(code, SNIPPET_NAME, "exec"), main.__dict__)  # noqa: S102 - what this process is for
        except SystemExit as leave:
            status = self._exit_status(leave.code)
        except BaseException as error:  # noqa: BLE001 - printed, as the interpreter does
            import linecache
            import traceback

            linecache.cache[SNIPPET_NAME] = (len(code), None, code.splitlines(keepends=True), SNIPPET_NAME)
            shown = error.__traceback__
            while shown is not None and shown.tb_frame.f_code.co_filename != SNIPPET_NAME:
                shown = shown.tb_next
            traceback.print_exception(type(error), error, shown)
            status = 1
        # What the interpreter does at its end: join the threads, call who asked to be called, write out what is held.
        # Then at once: taking everything apart would take longer than most programs.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)

    @staticmethod
    def _exit_status(code: Any) -> int:
        if code is None:
            return 0
        if isinstance(code, int):
            return code & 0xFF
        os.write(2, f"{code}\n".encode("utf-8", "backslashreplace"))
        return 1


def _preload() -> None:
    """Import what programs that fail are shown by, and what many of the others begin with."""
    import collections
    import linecache
    import math
    import random
    import traceback

    del collections, linecache, math, random, traceback


def _descendants(pid: int) -> set[int]:
    """Return all processes that descend from one."""
    found: set[int] = set()
    pending = [pid]
    while pending:
        each = pending.pop()
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{each}/task"):
                with open(f"/proc/{each}/task/{task}/children", "rb") as children:
                    born = {int(child) for child in children.read().split()} - found
                found |= born
                pending += born
    return found


def _processes_of(user: int) -> int:
    """Return how many processes and threads an account has."""
    count = 0
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == user:
                count += len(os.listdir(f"/proc/{name}/task"))
    return count


def main() -> NoReturn:
    """Serve on the descriptor that the first argument names; a second one names the channel of the relay."""
    Runner(*map(int, sys.argv[1:3])).serve()
