"""Housekeeping between the records: clock, disk, segments."""

from __future__ import annotations

import stat
from collections.abc import Callable
from typing import Any

import pytest

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.disk_space import DiskSpace
from mcp_server.security.audit_logger import AuditLogger

Maker = Callable[..., AuditLogger]
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NOON = 1_800_000_000 * SECOND  # 2027-01-15T08:00:00Z


class Clock:
    """A wall clock and a boot clock that tests move."""

    def __init__(self) -> None:
        self.wall = NOON
        self.boot = 100 * SECOND

    def settings(self) -> dict[str, Any]:
        return {"wall_clock": lambda: self.wall, "monotonic": lambda: self.boot}

    def pass_by(self, nanoseconds: int) -> None:
        self.wall += nanoseconds
        self.boot += nanoseconds


def records(log: AuditLogger) -> list[dict[str, Any]]:
    return list(AuditReader(log._path).records())


def kinds(log: AuditLogger) -> list[str]:
    return [record["kind"] for record in records(log)]


def test_time_is_utc_in_microseconds(make_log: Maker) -> None:
    clock = Clock()
    log = make_log(**clock.settings())
    log.open()
    for step in (1_000, 999_998_000, 1_000, 123_456_789, 59 * SECOND):
        clock.pass_by(step)
        log.append("auth.ok", {})
    found = [(record["ts"][11:], record["mono"]) for record in records(log)]
    assert found == [
        ("08:00:00.000000Z", 100_000_000),
        ("08:00:00.000001Z", 100_000_001),
        ("08:00:00.999999Z", 100_999_999),
        ("08:00:01.000000Z", 101_000_000),
        ("08:00:01.123456Z", 101_123_456),
        ("08:01:00.123456Z", 160_123_456),
    ]
    assert records(log)[0]["ts"].startswith("2027-01-15T")


def test_counter_stays_exact_after_years_without_a_restart(make_log: Maker) -> None:
    clock = Clock()
    clock.boot = 20 * 365 * DAY
    log = make_log(**clock.settings())
    log.open()
    assert records(log)[0]["mono"] == 20 * 365 * DAY // 1000 < 2**53 < 20 * 365 * DAY


@pytest.mark.parametrize("step", [-3600, -2, 2, 86_400 * 3])
def test_step_of_the_clock_is_recorded(make_log: Maker, step: int) -> None:
    clock = Clock()
    log = make_log(**clock.settings())
    log.open()
    clock.pass_by(10 * SECOND)
    clock.wall += step * SECOND
    log.append("auth.ok", {})
    log.append("auth.ok", {})
    jumps = [record for record in records(log) if record["kind"] == "clock.jump"]
    assert [jump["step_us"] for jump in jumps] == [step * 1_000_000]
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_slow_drift_and_long_silence_are_no_step(make_log: Maker) -> None:
    clock = Clock()
    log = make_log(**clock.settings())
    log.open()
    for _ in range(20):
        clock.pass_by(3600 * SECOND // 4)
        clock.wall += SECOND // 2
        log.append("auth.ok", {})
    assert "clock.jump" not in kinds(log)


def test_new_day_begins_a_new_segment(make_log: Maker) -> None:
    clock = Clock()
    log = make_log(**clock.settings())
    log.open()
    clock.pass_by(DAY)
    log.append("auth.ok", {})
    log.append("auth.ok", {})
    log.close()
    assert sorted(path.name for path in log._path.glob("*.jsonl")) == ["00000000.jsonl", "00000001.jsonl"]
    assert kinds(log) == ["log.open", "log.rotate", "auth.ok", "auth.ok", "log.close"]
    clock.pass_by(DAY)
    log.open()
    assert len(list(log._path.glob("*.jsonl"))) == 3
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_full_segment_is_finished_and_sealed(make_log: Maker) -> None:
    log = make_log(segment_bytes=1000)
    log.open()
    log.append("call.intent", {"call": "open one"})
    for _ in range(10):
        log.append("auth.ok", {})
    segments = sorted(log._path.glob("*.jsonl"))
    assert len(segments) > 2
    assert [stat.S_IMODE(path.stat().st_mode) for path in segments] == [0o400] * (len(segments) - 1) + [0o600]
    rotations = [record for record in records(log) if record["kind"] == "log.rotate"]
    assert rotations[0]["finished"]["size"] == segments[0].stat().st_size
    assert all(record["open"] == ["open one"] for record in rotations)
    log.close()
    assert AuditVerifier().verify(log._path, deep=True).is_intact


class Disk:
    """A disk whose room tests set, in mebibytes of a large volume."""

    def __init__(self) -> None:
        self.free = 10_000
        self.error: OSError | None = None

    def __call__(self, fd: int) -> DiskSpace:
        if self.error is not None:
            raise self.error
        return DiskSpace(free_bytes=self.free * 2**20, total_bytes=2**40)


def test_disk_ladder(make_log: Maker) -> None:
    disk = Disk()
    log = make_log(disk_space=disk)
    log.open()
    log.append("call.intent", {"call": "before"})
    for free in (900, 100):
        disk.free = free
        for _ in range(300):
            log.append("auth.ok", {})
    assert not log.is_available
    with pytest.raises(AuditUnavailableError, match="nearly full"):
        log.append("call.intent", {"call": "refused"})
    log.append("call.done", {"call": "before"})  # what has begun may end
    disk.free = 5000
    assert log.is_available
    log.append("call.intent", {"call": "after"})
    told = [(r["kind"], r.get("level")) for r in records(log) if r["kind"] in ("log.space", "log.halt")]
    assert told == [("log.space", "warn"), ("log.halt", "refuse"), ("log.space", "normal")]
    assert "refused" not in {record.get("call") for record in records(log)}
    log.close()
    assert AuditVerifier().verify(log._path, deep=True).is_intact


def test_refusal_ends_by_itself_when_there_is_room_again(make_log: Maker) -> None:
    disk = Disk()
    disk.free = 1
    log = make_log(disk_space=disk)
    log.open()
    with pytest.raises(AuditUnavailableError):
        log.append("call.intent", {"call": "c"})
    disk.free = 5000
    assert log.append("call.intent", {"call": "c"}) == 3


def test_disk_that_cannot_be_asked_is_full(make_log: Maker) -> None:
    disk = Disk()
    disk.error = OSError(5, "Input/output error")
    log = make_log(disk_space=disk)
    log.open()
    assert not log.is_available


def test_overlong_field_is_replaced(make_log: Maker) -> None:
    log = make_log(max_record_bytes=1000)
    log.open()
    log.append("call.done", {"call": "c", "err": "x" * 5000})
    assert records(log)[-1]["err"]["len"] == 5002
    assert max(map(len, (log._path / "00000000.jsonl").read_bytes().split(b"\n"))) <= 1000
