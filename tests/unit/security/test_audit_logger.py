from __future__ import annotations

import asyncio
import os
import stat
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.durability import Durability
from mcp_server.security.audit.file_writer import FileWriter
from mcp_server.security.audit.log_head import LogHead
from mcp_server.security.audit.log_state import LogState
from mcp_server.security.audit_logger import AuditLogger

SOON = 10


class CountingWriter(FileWriter):
    """Counts the syncs of the log's segments and tells when one has been."""

    def __init__(self) -> None:
        self.synced = threading.Event()
        self.syncs = 0

    def fdatasync(self, fd: int) -> None:  # type: ignore[override]
        os.fdatasync(fd)
        self.syncs += 1
        self.synced.set()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "audit"


def opened(directory: Path, **settings: Any) -> AuditLogger:
    log = AuditLogger(directory=directory, **settings)
    log.open()
    return log


def records(directory: Path) -> list[dict[str, Any]]:
    return list(AuditReader(directory).records())


def test_record_is_in_the_file_when_append_returns(directory: Path) -> None:
    log = opened(directory)
    for number in range(1, 4):
        assert log.append("auth.ok", {"client": "local"}) == number
        assert records(directory)[-1]["seq"] == number
    log.close()


def test_record_form(directory: Path) -> None:
    log = opened(directory, stream="aux")
    log.append("call.done", {"tool": "t", "call": "c", "args": {"b": 1, "a": [None, True]}, "need": [["t", "r", "g"]]})
    log.close()
    record = records(directory)[1]
    assert list(record) == ["args", "call", "kind", "mono", "need", "seq", "stream", "tool", "ts", "v", "x_prev"]
    assert (record["kind"], record["stream"], record["v"], record["seq"]) == ("call.done", "aux", 1, 1)
    assert list(record["args"]) == ["a", "b"]


def test_first_record_names_the_run_and_its_durability(directory: Path) -> None:
    opened(directory, durability=Durability.DISK).close()
    first = records(directory)[0]
    assert (first["kind"], first["durability"], first["pid"]) == ("log.open", "disk", os.getpid())
    assert first["x_prev"] == "0" * 64
    assert len(first["instance"]) == 16


def test_log_goes_on_over_restarts(directory: Path) -> None:
    for _ in range(4):
        opened(directory).close()
    assert [record["seq"] for record in records(directory)] == list(range(8))
    assert AuditVerifier().verify(directory, deep=True).is_intact


def test_state(directory: Path) -> None:
    log = AuditLogger(directory=directory)
    assert (log.state, log.is_available) == (LogState.CLOSED, False)
    with pytest.raises(AuditUnavailableError, match="closed"):
        log.append("auth.ok", {})
    log.open()
    assert (log.state, log.is_available) == (LogState.OPEN, True)
    with pytest.raises(ConfigurationError, match="open already"):
        log.open()
    log.close()
    log.close()
    assert log.state is LogState.CLOSED
    with pytest.raises(AuditUnavailableError, match="closed"):
        log.append("auth.ok", {})


def test_nothing_is_left_after_close(directory: Path) -> None:
    descriptors = sorted(os.listdir("/proc/self/fd"))
    threads = threading.active_count()
    for _ in range(3):
        log = opened(directory)
        log.append("auth.ok", {})
        log.close()
    assert sorted(os.listdir("/proc/self/fd")) == descriptors
    assert threading.active_count() == threads


def test_nothing_is_left_after_an_open_that_failed(directory: Path) -> None:
    opened(directory).close()
    (directory / "head").unlink()
    descriptors = sorted(os.listdir("/proc/self/fd"))
    with pytest.raises(ConfigurationError):
        opened(directory)
    assert sorted(os.listdir("/proc/self/fd")) == descriptors


def test_mistakes_in_the_code_write_nothing(directory: Path) -> None:
    log = opened(directory)
    for kind, fields in (("nonsense", {}), ("auth.ok", {"seq": 1}), ("call.intent", {}), ("auth.ok", {"out": b"x"})):
        with pytest.raises(ValueError, match=r"not a kind|itself writes|name its call|not JSON"):
            log.append(kind, fields)
    assert log.is_available
    assert log.append("auth.ok", {}) == 1
    log.close()
    assert AuditVerifier().verify(directory, deep=True).is_intact


def test_close_says_what_becomes_of_open_calls(directory: Path) -> None:
    log = opened(directory)
    log.append("call.intent", {"call": "c"})
    log.close()
    assert [(r["kind"], r.get("call")) for r in records(directory)][-2:] == [("call.unknown", "c"), ("log.close", None)]
    assert AuditVerifier().verify(directory, deep=True).open_calls == 0


def test_process_durability_syncs_behind_the_callers_back(directory: Path) -> None:
    writer = CountingWriter()
    log = opened(directory, writer=writer)
    assert writer.synced.wait(SOON)
    asyncio.run(log.durable(0))
    log.close()


def test_disk_durability_waits_and_shares(directory: Path) -> None:
    writer = CountingWriter()
    log = opened(directory, durability=Durability.DISK, writer=writer)

    async def one(number: int) -> None:
        seq = log.append("call.intent", {"call": f"c{number}"})
        await log.durable(seq)
        assert log._sync.synced_seq >= seq

    async def many() -> None:
        await asyncio.gather(*(one(number) for number in range(100)))

    asyncio.run(many())
    assert 1 <= writer.syncs <= 10
    log.close()


def test_head_covers_everything_after_close(directory: Path) -> None:
    log = opened(directory)
    log.append("auth.ok", {})
    log.close()
    head = LogHead.decode((directory / "head").read_bytes())
    assert (head.seq, head.size) == (2, (directory / "00000000.jsonl").stat().st_size)
    assert AuditVerifier().verify(directory).beyond_head == 0


def test_listeners_hear_every_record_and_cannot_harm(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Mapping[str, Any]] = []

    def break_down(record: Mapping[str, Any]) -> None:
        raise RuntimeError("listener")

    log = AuditLogger(directory=directory)
    log.subscribe(break_down)
    log.open()
    log.subscribe(heard.append)
    log.append("auth.ok", {"client": "local"})
    log.close()
    assert [record["kind"] for record in heard] == ["auth.ok", "log.close"]
    assert heard[0] == records(directory)[1]
    assert caplog.text.count("a listener of the audit log failed") == 3


def test_listener_may_write_itself(directory: Path) -> None:
    log = AuditLogger(directory=directory)

    def alert(record: Mapping[str, Any]) -> None:
        if record["kind"] == "auth.fail":
            log.append("admin.alert", {"err": "burst"})

    log.subscribe(alert)
    log.open()
    log.append("auth.fail", {})
    log.close()
    assert [record["kind"] for record in records(directory)][1:3] == ["auth.fail", "admin.alert"]


def test_threads_may_write_at_the_same_time(directory: Path) -> None:
    log = opened(directory, segment_bytes=20_000)

    def write() -> None:
        for number in range(200):
            log.append("call.done", {"call": str(number)})

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    verdict = AuditVerifier().verify(directory, deep=True)
    assert verdict.is_intact
    assert sum(record["kind"] == "call.done" for record in records(directory)) == 800


def test_digests_can_be_looked_up_after_a_restart(directory: Path) -> None:
    log = opened(directory)
    first = log.digest_arguments({"text": "needle", "path": "p"}, ["path"])
    log.close()
    log = opened(directory)
    assert log.digest_arguments({"text": "needle", "path": "p"}, ["path"]) == first
    log.close()
    assert first["path"] == "p"
    assert "needle" not in str(first)


def test_files_are_for_the_owner_only(directory: Path) -> None:
    opened(directory).close()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == dict.fromkeys(["00000000.jsonl", "head", "hmac.key", "lock", "reserve"], 0o600)
