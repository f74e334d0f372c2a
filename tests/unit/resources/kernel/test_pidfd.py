from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from mcp_server.resources.kernel.pidfd import PidFd


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits until its standard input is closed."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_signals_the_process_and_tells_its_end(child: subprocess.Popen[bytes]) -> None:
    with PidFd.open(child.pid) as process:
        assert not os.get_inheritable(process.fileno())
        assert not process.has_ended()
        process.send_signal(signal.SIGKILL)
        assert select.select([process], [], [], 60)[0] == [process]
        assert process.has_ended()
        assert child.wait() == -signal.SIGKILL
        assert process.has_ended()
        with pytest.raises(ProcessLookupError):
            process.send_signal(0)
    assert process.fileno() == -1
    process.close()


def test_stays_with_the_process_it_was_opened_for(child: subprocess.Popen[bytes]) -> None:
    process = PidFd.open(child.pid)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    # Whoever has the number now, if anybody, is not signalled.
    with pytest.raises(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    process.close()


def test_no_process_is_an_error() -> None:
    with pytest.raises(OSError, match=r"No such process|Invalid argument"):
        PidFd.open(2**22 + 1)
