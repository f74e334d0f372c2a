from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from mcp_server.resources.isolation import root_process
from mcp_server.resources.isolation.end_reason import EndReason
from mcp_server.resources.isolation.root_process import RootProcess


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    """A process that takes no signal but the one that is never sent, with a child."""
    script = "trap '' TERM ALRM HUP; echo up; /usr/bin/sleep 60 & while :; do wait; done"
    process = subprocess.Popen(
        ["/bin/sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_what_cannot_be_ended_is_told_and_left_alone(
    stubborn: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM_SECONDS", "ALARM_SECONDS", "DRAIN_SECONDS"):
        monkeypatch.setattr(root_process, name, 0.05)
    result = asyncio.run(RootProcess(process=stubborn).run(0.3))
    assert (result.reason, result.has_ended, result.exit_code, result.signal) == (EndReason.TIMEOUT, False, None, None)
    assert result.stdout.text() == "up\n"
    assert result.left_running == 1
    assert stubborn.poll() is None


def test_both_outputs_are_kept_apart() -> None:
    process = subprocess.Popen(
        ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    result = asyncio.run(RootProcess(process=process).run(10))
    assert (result.stdout.text(), result.stderr.text()) == ("out\n", "err\n")
    assert (result.reason, result.exit_code, result.is_success) == (EndReason.EXIT, 3, False)


def test_a_child_that_holds_the_output_does_not_hold_up_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_process, "DRAIN_SECONDS", 0.05)
    process = subprocess.Popen(
        ["/bin/sh", "-c", "/usr/bin/sleep 60 & echo $!"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    result = asyncio.run(RootProcess(process=process).run(10))
    os.kill(int(result.stdout.text()), signal.SIGKILL)
    assert (result.reason, result.left_running, result.is_success) == (EndReason.EXIT, 1, True)
    assert result.wall_seconds < 5
