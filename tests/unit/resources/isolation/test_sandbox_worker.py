"""The host's end of a sandbox, with programs that only seem to make one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation import sandbox_worker
from mcp_server.resources.isolation.runner import READY
from mcp_server.resources.isolation.sandbox_view import SandboxView
from mcp_server.resources.isolation.sandbox_worker import SandboxWorker

Make = Callable[..., SandboxWorker]

# It tells a process of its own as the first, as bubblewrap does, and ends when that has ended.
LIKE_BUBBLEWRAP = 'sleep 1000 & echo "{\\"child-pid\\": $!, \\"x\\": 1 }" >&3; exec 3>&-; wait $!'


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[tuple[SandboxWorker, socket.socket]] = []

    def make(script: str, view: SandboxView | None = None) -> SandboxWorker:
        ours, theirs = socket.socketpair()
        pipes = [os.pipe() for _ in range(4)]
        (stdin_read, stdin), (stdout, stdout_write), (stderr, stderr_write), (status, status_write) = pipes
        process = subprocess.Popen(
            ["/bin/bash", "-c", f"exec 3>&{status_write}; {script}"],
            stdin=stdin_read,
            stdout=stdout_write,
            stderr=stderr_write,
            pass_fds=(status_write,),
        )
        for descriptor in (stdin_read, stdout_write, stderr_write, status_write):
            os.close(descriptor)
        worker = SandboxWorker(
            process=process,
            control=ours,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            status=status,
            view=view or SandboxView(),
        )
        made.append((worker, theirs))
        return worker

    yield make
    for worker, theirs in made:
        theirs.close()
        worker.process.kill()
        worker.process.wait()
        worker.close()


def other_end(worker: SandboxWorker, make: Make) -> socket.socket:
    cells = [cell.cell_contents for cell in make.__closure__ or ()]  # type: ignore[attr-defined]
    return next(theirs for pairs in cells if isinstance(pairs, list) for each, theirs in pairs if each is worker)


def run(work: Any) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(30):
            return await work

    return asyncio.run(bounded())


def test_what_is_killed_is_gone_with_its_first_process(make: Make) -> None:
    async def scenario() -> None:
        worker = make(LIKE_BUBBLEWRAP)
        other_end(worker, make).sendall(READY)
        await worker.ready()
        assert not worker.has_ended
        worker.kill()
        worker.kill()
        await worker.ended()
        assert worker.has_ended
        # Not the program that made it, but what it told.
        assert worker.process.returncode in (-9, 128 + 9)
        await worker.ended()
        # Who comes too late to kill it kills nobody else.
        worker.kill()

    run(scenario())


def test_the_first_process_may_be_told_in_pieces_and_late(make: Make) -> None:
    script = 'sleep 1000 & printf "{\\"child-pid\\": " >&3; sleep 0.05; printf "$! }\\n" >&3; exec 3>&-; wait $!'

    async def scenario() -> None:
        worker = make(script)
        worker.kill()
        await worker.ended()
        assert worker.process.returncode is not None

    run(scenario())


@pytest.mark.parametrize("script", ["exit 1", 'printf "{ \\"child-pid\\": 12" >&3', 'echo "nonsense" >&3', "echo >&3"])
def test_without_a_first_process_there_is_only_the_program_to_wait_for(script: str, make: Make) -> None:
    async def scenario() -> None:
        worker = make(script)
        worker.kill()
        await worker.ended()
        assert worker.process.returncode is not None

    run(scenario())


def test_what_does_not_end_is_told_and_its_program_is_killed(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_worker, "END_SECONDS", 0.05)

    async def scenario() -> None:
        worker = make("exec sleep 1000")
        worker.kill()
        with pytest.raises(ResourceUnavailableError, match="could not be ended"):
            await worker.ended()
        assert worker.process.returncode == -9

    run(scenario())


def test_whoever_is_cancelled_while_it_ends_leaves_no_zombie(make: Make) -> None:
    async def scenario() -> None:
        worker = make("exec sleep 1000")
        ending = asyncio.ensure_future(worker.ended())
        await asyncio.sleep(0)
        ending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await ending
        assert worker.process.returncode == -9

    run(scenario())


def test_a_program_that_fails_is_told_with_its_words_for_the_operator(make: Make) -> None:
    async def scenario() -> None:
        worker = make("echo 'bwrap: no /host/path' >&2; exit 1")
        worker.process.wait()
        other_end(worker, make).close()
        with pytest.raises(ResourceUnavailableError, match="doctor") as caught:
            await worker.ready()
        assert caught.value.__notes__ == ["bwrap: no /host/path"]
        assert "/host/path" not in str(caught.value)

    run(scenario())


def test_one_that_does_not_stand_in_time_is_not_waited_for(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_worker, "START_SECONDS", 0.05)

    async def scenario() -> None:
        with pytest.raises(ResourceUnavailableError):
            await make("exec sleep 1000").ready()

    run(scenario())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"", {}),
        (b'{"exit": 0, "cpu": 1.5}\n', {"exit": 0, "cpu": 1.5}),
        (b'{"failed": "x"}\n{"exit": 127}\n', {"failed": "x", "exit": 127}),
        (b'{"failed": "x"}\n', {"failed": "x"}),
        (b'{"exit": 0', {}),
        (b"nonsense\n", {}),
        (b'{"signal": 9}\nmore', {"signal": 9}),
        (b"[1]\n", {}),
        (b"3\n", {}),
    ],
)
def test_what_the_runner_says_is_read_to_the_end_and_no_further(said: bytes, told: dict[str, Any], make: Make) -> None:
    async def scenario() -> Any:
        worker = make("exec sleep 1000")
        theirs = other_end(worker, make)
        theirs.sendall(said)
        theirs.shutdown(socket.SHUT_WR)
        return await worker.report()

    assert run(scenario()) == told


def test_a_runner_that_never_stops_talking_is_not_listened_to(make: Make) -> None:
    async def scenario() -> Any:
        worker = make("exec sleep 1000")
        theirs = other_end(worker, make)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while theirs.send(b'{"x": 1}\n' * 500):
                pass
        return await worker.report()

    # Nobody has closed the socket: it is the length that ends it.
    assert run(scenario()) == {"x": 1}


def test_a_job_is_sent_with_its_length(make: Make) -> None:
    async def scenario() -> bytes:
        worker = make("exec sleep 1000")
        await worker.submit({"code": "é"})
        return other_end(worker, make).recv(1000)

    sent = run(scenario())
    assert int.from_bytes(sent[:8], "big") == len(sent) - 8
    assert json.loads(sent[8:]) == {"code": "é"}


def test_closing_twice_is_closing(make: Make) -> None:
    worker = make("exit 0")
    worker.close()
    worker.close()
    assert (worker.stdin, worker.stdout, worker.stderr) == (-1, -1, -1)
