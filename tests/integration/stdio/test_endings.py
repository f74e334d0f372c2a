"""How a server ends: at once when idle, within its grace when busy, with its children dead and its audit whole."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.stdio.raw_server import (
    PATIENCE_SECONDS,
    RawServer,
    check_audit,
    script_command,
    serve_command,
    server_environment,
    text_of,
)

IDLE_SECONDS = 0.5
GRACE_SECONDS = 0.3
SLACK_SECONDS = 0.5
"""What a busy machine may add to a promise, beside what Python itself needs to leave."""

SIGNALS = [signal.SIGTERM, signal.SIGINT]

# Starts the server it is given on the descriptors it was given, tells its process id, and waits to be killed.
PARENT = """
import subprocess, sys, time
server = subprocess.Popen(sys.argv[1:])
print(server.pid, file=sys.stderr, flush=True)
server.wait()
"""


def seconds_to(server: RawServer, what: Callable[[], object], status: int) -> float:
    """Return how long the server takes to end once `what` has happened; its exit status must be this."""
    started = time.monotonic()
    what()
    assert server.wait() == status, server.stderr()
    return time.monotonic() - started


def is_alive(pid: int) -> bool:
    """Whether there is such a process, zombies aside."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_end_of_input_ends_an_idle_server_at_once(server: RawServer) -> None:
    assert server.text("echo", text="hello") == "hello"
    assert seconds_to(server, server.close_input, 0) < IDLE_SECONDS + SLACK_SECONDS
    server.check_audit()
    assert server.stderr() == ""


def test_a_server_that_nobody_spoke_to_ends_too(start: Callable[..., RawServer]) -> None:
    server = start()
    server.close_input()
    assert server.wait() == 0
    server.check_audit()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_an_idle_server_at_once(server: RawServer, number: signal.Signals) -> None:
    assert server.text("echo", text="hello") == "hello"
    assert seconds_to(server, lambda: server.process.send_signal(number), 4) < IDLE_SECONDS + SLACK_SECONDS
    server.check_audit("signal")
    assert server.stderr() == ""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_call_that_ends_within_the_grace_is_answered(server: RawServer, number: signal.Signals) -> None:
    held = server.hold("slow")
    released = server.start_call("release", label="slow")
    server.process.send_signal(number)
    assert server.wait() == 4
    answers = {message["id"]: message for message in server.kept if "result" in message}
    assert text_of(answers[held]) == "released slow"
    assert text_of(answers[released]) == "released"
    server.check_audit("signal")


@pytest.mark.parametrize("number", [*SIGNALS, None])
def test_a_call_that_does_not_end_is_ended_after_the_grace(
    start: Callable[..., RawServer], tmp_path: Path, number: signal.Signals | None
) -> None:
    server = start(command=script_command(tmp_path, "--grace", str(GRACE_SECONDS)))
    server.initialize()
    held = server.hold("for ever")

    def end() -> None:
        if number is None:
            server.close_input()
        else:
            server.process.send_signal(number)

    took = seconds_to(server, end, 0 if number is None else 4)
    assert GRACE_SECONDS <= took < GRACE_SECONDS + IDLE_SECONDS + SLACK_SECONDS
    assert [message for message in server.kept if message.get("id") == held] == []
    server.check_audit("end of input" if number is None else "signal")
    outcome = [each for each in server.audit_records() if each.get("tool") == "hold"][-1]
    assert (outcome["kind"], outcome["err"]) == ("call.done", "cancelled")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_the_grace(server: RawServer, number: signal.Signals) -> None:
    server.hold("for ever")
    server.process.send_signal(number)
    # The first has been seen once nothing is read any more; the order of two signals is the kernel's otherwise.
    wait_until_nothing_is_read(server)
    assert seconds_to(server, lambda: server.process.send_signal(number), 4) < IDLE_SECONDS + SLACK_SECONDS
    server.check_audit("signal")


@pytest.mark.parametrize("tool", ["stubborn", "stuck_thread", "stuck_executor"])
@pytest.mark.parametrize("number", [signal.SIGTERM, None])
def test_a_handler_that_ignores_its_end_does_not_keep_the_server(
    start: Callable[..., RawServer], tmp_path: Path, tool: str, number: signal.Signals | None
) -> None:
    server = start(command=script_command(tmp_path, "--grace", "0.05"))
    server.initialize()
    server.start_call(tool, label="stuck")
    assert server.text("echo", text="it runs") == "it runs"
    # A second for those who ignore their cancellation is the protocol tier's own.
    end = server.close_input if number is None else lambda: server.process.send_signal(number)
    assert seconds_to(server, end, 0 if number is None else 4) < 1.0 + IDLE_SECONDS + SLACK_SECONDS
    server.check_audit("end of input" if number is None else "signal")


def test_a_blocking_handler_that_looks_learns_of_the_end(start: Callable[..., RawServer], tmp_path: Path) -> None:
    server = start(command=script_command(tmp_path, "--grace", "0.05"))
    server.initialize()
    server.start_call("hold_thread", label="blocking")
    assert server.text("echo", text="running") == "running"
    assert seconds_to(server, server.close_input, 0) < 0.05 + IDLE_SECONDS + SLACK_SECONDS
    server.check_audit()


def test_children_of_handlers_die_with_the_server(server: RawServer) -> None:
    children = [int(pid) for pid in server.text("start_child").split()]
    assert all(is_alive(pid) for pid in children)
    assert server.stop() == 0
    assert not any(is_alive(pid) for pid in children)


@pytest.mark.parametrize("number", SIGNALS)
def test_children_of_handlers_die_with_a_server_that_is_signalled(server: RawServer, number: signal.Signals) -> None:
    children = [int(pid) for pid in server.text("start_child").split()]
    server.process.send_signal(number)
    assert server.wait() == 4
    assert not any(is_alive(pid) for pid in children)


def test_a_listener_is_told_the_end(start: Callable[..., RawServer]) -> None:
    server = start()
    listener = server.request("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, modern={})
    acknowledged = server.notification("notifications/subscriptions/acknowledged")
    assert acknowledged["params"]["notifications"] == {"toolsListChanged": True}
    assert server.stop() == 0
    (ended,) = server.kept
    assert ended["id"] == listener
    assert ended["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == listener


def test_the_death_of_the_parent_ends_the_server_although_another_holds_the_pipe(tmp_path: Path) -> None:
    with ExitStack() as stack:
        # We hold both ends of both pipes, so the server never sees the end of its input.
        read_end, our_write_end, our_read_end, write_end = *os.pipe(), *os.pipe()
        for descriptor in (read_end, our_write_end, our_read_end, write_end):
            stack.callback(os.close, descriptor)
        parent = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", PARENT, *serve_command(tmp_path)],
                stdin=read_end,
                stdout=write_end,
                stderr=subprocess.PIPE,
                env=server_environment(),
            )
        )
        stack.callback(parent.kill)
        assert parent.stderr is not None
        pid = int(parent.stderr.readline())
        server = os.pidfd_open(pid)
        stack.callback(os.close, server)
        os.write(our_write_end, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
        assert wait_for(our_read_end), "the server does not answer"
        assert b'"id":1' in os.read(our_read_end, 4096)
        started = time.monotonic()
        parent.kill()
        assert wait_for(server), "the server outlives its parent"
        assert time.monotonic() - started < IDLE_SECONDS + SLACK_SECONDS
    check_audit(tmp_path, "parent died")


def test_a_client_that_closes_its_reading_end_only_does_no_harm(server: RawServer) -> None:
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.use(-1, server.process.stdin.fileno() if server.process.stdin is not None else -1)
    for _ in range(10):
        server.start_call("echo", text="to nobody")
    server.close_input()
    assert server.wait() == 0
    server.check_audit()
    assert sum(record.get("tool") == "echo" for record in server.audit_records()) == 10


def test_a_server_killed_hard_leaves_a_log_that_the_next_one_continues(
    start: Callable[..., RawServer], tmp_path: Path
) -> None:
    first = start()
    first.initialize()
    first.hold("open")
    first.process.kill()
    assert first.process.wait() == -signal.SIGKILL
    second = start()
    second.initialize()
    assert second.text("echo", text="next") == "next"
    second.close_input()
    assert second.wait() == 0
    kinds = [record["kind"] for record in second.audit_records()]
    assert kinds.count("server.start") == 2
    assert kinds[-2:] == ["server.stop", "log.close"]


def wait_for(descriptor: int, seconds: float = PATIENCE_SECONDS) -> bool:
    """Return whether there is something to read, or a process has ended, within the time."""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def wait_until_nothing_is_read(server: RawServer) -> None:
    """Return once the server leaves what we write unread."""
    assert server.process.stdout is not None
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        ping = server.request("ping")
        if not wait_for(server.process.stdout.fileno(), 0.1):
            return
        server.answer(ping)
    raise AssertionError("the server goes on reading after a signal")
