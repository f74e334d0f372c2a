"""A disk that fails, at each system call: what was acknowledged stays, what was not is refused, nothing is retried."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.durability import Durability
from mcp_server.security.audit.file_writer import FileWriter
from mcp_server.security.audit.log_state import LogState
from mcp_server.security.audit_logger import AuditLogger

Maker = Callable[..., AuditLogger]
ERRORS = [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EFBIG]
SOON = 10


class FailingWriter(FileWriter):
    """The real calls, until a test says which of them fails from now on, and how often."""

    def __init__(self) -> None:
        self.failing: dict[str, int] = {}
        self.times = -1
        self.short: int | None = None
        self.calls: list[str] = []
        self.failed = threading.Event()

    def _maybe_fail(self, call: str) -> None:
        self.calls.append(call)
        if call in self.failing and self.times:
            self.times -= 1
            self.failed.set()
            raise OSError(self.failing[call], os.strerror(self.failing[call]))

    def write(self, fd: int, data: Any) -> int:  # type: ignore[override]
        self._maybe_fail("write")
        if self.short is not None:
            count, self.short = self.short, None
            return os.write(fd, bytes(data)[:count])
        return os.write(fd, data)

    def fdatasync(self, fd: int) -> None:  # type: ignore[override]
        self._maybe_fail("fdatasync")

    def fsync(self, fd: int) -> None:  # type: ignore[override]
        self._maybe_fail("fsync")

    def truncate(self, fd: int, size: int) -> None:  # type: ignore[override]
        self._maybe_fail("truncate")
        os.ftruncate(fd, size)


def records(log: AuditLogger) -> list[dict[str, Any]]:
    return list(AuditReader(log._path).records())


def refused(log: AuditLogger) -> None:
    for _ in range(3):
        with pytest.raises(AuditUnavailableError) as caught:
            log.append("call.intent", {"call": "refused"})
        assert str(log._path) not in str(caught.value)
    assert log.state is LogState.FAILED
    assert not log.is_available


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_failed_write_refuses_everything_from_then_on(make_log: Maker, error: int) -> None:
    writer = FailingWriter()
    log = make_log(writer=writer)
    log.open()
    seq = log.append("auth.ok", {})
    writer.failing = {"write": error}
    refused(log)
    writer.failing = {}
    refused(log)  # the disk is well again, the log is not: nobody has looked at its tail
    log.close()
    assert [record["seq"] for record in records(log)] == list(range(seq + 1))
    assert AuditVerifier().verify(log._path).state.value == "intact"


@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_last_record_says_why_when_there_is_room_for_it(make_log: Maker, error: int) -> None:
    writer = FailingWriter()
    log = make_log(writer=writer)
    log.open()
    writer.failing, writer.times = {"write": error}, 1
    refused(log)
    assert not (log._path / "reserve").exists()
    log.close()
    assert [record["kind"] for record in records(log)] == ["log.open", "log.halt"]
    assert records(log)[-1]["reason"] == os.strerror(error)
    log.open()
    log.append("auth.ok", {})
    log.close()
    assert [record["kind"] for record in records(log)][2:] == ["log.open", "log.recover", "auth.ok", "log.close"]
    assert len(list(log._path.glob("*.jsonl"))) == 2  # after a failure a new segment, on a new descriptor
    assert AuditVerifier().verify(log._path, deep=True).is_intact


@pytest.mark.parametrize("length", [0, 1, 50, 150])
def test_short_write_is_cut_off_again(make_log: Maker, length: int) -> None:
    writer = FailingWriter()
    log = make_log(writer=writer)
    log.open()
    size = (log._path / "00000000.jsonl").stat().st_size
    writer.short = length
    refused(log)
    data = (log._path / "00000000.jsonl").read_bytes()
    assert data[size:].startswith(b'{"kind":"log.halt"')
    assert data.endswith(b"\n")
    log.close()
    log.open()
    log.close()
    assert AuditVerifier().verify(log._path, deep=True).is_intact
    assert not list(log._path.glob("*.torn"))


def test_end_that_cannot_be_cut_off_is_set_aside_at_the_next_start(make_log: Maker) -> None:
    writer = FailingWriter()
    log = make_log(writer=writer)
    log.open()
    writer.short = 60
    writer.failing = {"truncate": errno.EIO}
    refused(log)
    log.close()
    writer.failing = {}
    log.open()
    log.close()
    recover = next(record for record in records(log) if record["kind"] == "log.recover")
    assert recover["torn"]["len"] == 60
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_failed_sync_is_not_tried_again_on_the_same_descriptor(make_log: Maker) -> None:
    writer = FailingWriter()
    log = make_log(writer=writer, durability=Durability.DISK)
    log.open()

    async def call() -> None:
        writer.failing = {"fdatasync": errno.EIO}
        seq = log.append("call.intent", {"call": "c"})
        with pytest.raises(AuditUnavailableError):
            await log.durable(seq)
        count = writer.calls.count("fdatasync")
        refused(log)
        with pytest.raises(AuditUnavailableError):
            await log.durable(seq)
        writer.failing = {}
        log.close()
        assert writer.calls.count("fdatasync") == count

    asyncio.run(call())
    log.open()
    log.close()
    assert len(list(log._path.glob("*.jsonl"))) == 2
    assert [record["kind"] for record in records(log)].count("call.unknown") == 1
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_failed_sync_in_the_background_refuses_the_next_call(make_log: Maker) -> None:
    writer = FailingWriter()
    writer.failing = {"fdatasync": errno.EIO}
    log = make_log(writer=writer)
    log.open()
    assert writer.failed.wait(SOON)
    log._sync.stop()  # returns when the thread has told the log
    refused(log)


@pytest.mark.parametrize("call", ["fdatasync", "fsync"])
def test_segment_that_cannot_be_changed_refuses_the_call(make_log: Maker, call: str) -> None:
    writer = FailingWriter()
    log = make_log(writer=writer, segment_bytes=200)
    log.open()
    log._sync.stop()
    writer.failing = {call: errno.ENOSPC}
    refused(log)
    assert call in writer.calls


def test_end_that_cannot_be_recorded_is_told(make_log: Maker) -> None:
    writer = FailingWriter()
    log = make_log(writer=writer)
    log.open()
    log._sync.stop()
    writer.failing = {"fdatasync": errno.EIO}
    with pytest.raises(AuditUnavailableError):
        log.close()
    assert log.state is LogState.CLOSED


@pytest.mark.parametrize("call", ["write", "fsync"])
@pytest.mark.parametrize("error", ERRORS, ids=errno.errorcode.get)
def test_server_does_not_start_on_a_disk_that_fails(make_log: Maker, call: str, error: int) -> None:
    writer = FailingWriter()
    writer.failing = {call: error}
    log = make_log(writer=writer)
    with pytest.raises((ConfigurationError, AuditUnavailableError)):
        log.open()
    assert log.state is LogState.CLOSED
    writer.failing = {}
    log.open()  # and does when the disk is well again
    log.close()
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_negative_control_a_writer_that_ignores_short_writes_leaves_a_broken_log(tmp_path: Path) -> None:
    path = tmp_path / "00000000.jsonl"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, b'{"kind":"log.op')
    os.write(fd, b'{"kind":"auth.ok"}\n')
    os.close(fd)
    assert not AuditVerifier().verify(tmp_path).is_intact
