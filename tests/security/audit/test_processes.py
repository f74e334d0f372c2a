"""Real processes: killed while they write, two at once, a fork."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit_logger import AuditLogger

CHECKOUT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
from mcp_server.security.audit_logger import AuditLogger
log = AuditLogger(directory=Path(sys.argv[1]), segment_bytes=200_000)
log.open()
number = 0
while True:
    seq = log.append("call.intent", {"call": f"c{number}", "tool": "t" * (number % 500)})
    if number % 100 == 0:
        print(seq, flush=True)
    log.append("call.done", {"call": f"c{number}"})
    number += 1
"""


def start_writer(directory: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory)], stdout=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.parametrize("lines", [1, 5, 17])
def test_killed_writer_loses_nothing_it_was_told_was_written(make_log: Callable[..., AuditLogger], lines: int) -> None:
    log = make_log()
    acknowledged = -1
    for _ in range(2):
        with start_writer(log._path) as process:
            assert process.stdout is not None
            for _ in range(lines):
                acknowledged = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    log.open()
    log.close()
    verdict = AuditVerifier().verify(log._path, deep=True)
    assert verdict.is_intact, verdict
    assert verdict.open_calls == 0
    records = list(AuditReader(log._path).records())
    assert len(records) > acknowledged
    assert [record["kind"] for record in records].count("log.recover") == 2


def test_second_process_is_refused_until_the_first_is_gone(make_log: Callable[..., AuditLogger]) -> None:
    log = make_log()
    with start_writer(log._path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(ConfigurationError, match="another process is writing"):
            log.open()
        process.kill()
    log.open()
    log.close()
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_second_logger_in_the_same_process_is_refused(make_log: Callable[..., AuditLogger]) -> None:
    make_log().open()
    with pytest.raises(ConfigurationError, match="another process is writing"):
        make_log().open()


def in_a_fork(action: Callable[[], bool]) -> bool:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if action() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# Python 3.12 and later warn about any fork beside a thread; such a fork is exactly the attack.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_fork_may_not_write_and_does_no_harm(make_log: Callable[..., AuditLogger]) -> None:
    log = make_log()
    log.open()
    log.append("auth.ok", {})
    before = (log._path / "00000000.jsonl").read_bytes()

    def child() -> bool:
        try:
            log.append("auth.ok", {})
        except AuditUnavailableError as error:
            refused = "fork" in str(error) and not log.is_available
        else:
            refused = False
        log.close()
        return refused

    assert in_a_fork(child)
    assert (log._path / "00000000.jsonl").read_bytes() == before
    assert log.append("auth.ok", {}) == 2
    with pytest.raises(ConfigurationError):
        make_log().open()  # the child's end did not give the lock away
    log.close()
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_negative_control_two_writers_without_the_lock_break_the_chain(
    make_log: Callable[..., AuditLogger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcp_server.security.audit.lock_file._lock", lambda fd: None)
    first, second = make_log(), make_log()
    first.open()
    second.open()
    for _ in range(2):
        first.append("auth.ok", {})
        second.append("auth.ok", {})
    assert not AuditVerifier().verify(first._path).is_intact
