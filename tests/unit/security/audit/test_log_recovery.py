"""How a log is taken up again: the four rules, each with what it leaves behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.hash_chain import leaf_hash
from mcp_server.security.audit.log_head import LogHead
from mcp_server.security.audit.log_recovery import acknowledge
from mcp_server.security.audit_logger import AuditLogger

Maker = Callable[..., AuditLogger]


@pytest.fixture
def crashed(make_log: Maker, tmp_path: Path) -> Path:
    """What a crash leaves of a log with one finished and two open calls; the head covers the first three records."""
    log = make_log(directory=tmp_path / "live")
    log.open()
    log.append("call.intent", {"call": "c1", "tool": "a"})
    log.append("call.done", {"call": "c1", "tool": "a"})
    log.append("call.intent", {"call": "c2", "client": "local", "tool": "b"})
    log.append("call.intent", {"call": "c3", "client": "local", "tool": "c"})
    image = tmp_path / "audit"
    shutil.copytree(tmp_path / "live", image)
    set_head(image, 3)
    return image


def segment(directory: Path, number: int = 0) -> Path:
    return directory / f"{number:08d}.jsonl"


def set_head(directory: Path, records: int) -> None:
    lines = segment(directory).read_bytes().split(b"\n")[:records]
    size = sum(len(line) + 1 for line in lines)
    head = LogHead(seq=records - 1, segment=0, size=size, leaf=leaf_hash(lines[-1]).decode())
    (directory / "head").write_bytes(head.encode())


def reopened(make_log: Maker) -> list[dict[str, Any]]:
    log = make_log()
    log.open()
    log.close()
    return list(AuditReader(log._path).records())


def kinds(records: list[dict[str, Any]]) -> list[str]:
    return [record["kind"] for record in records]


def test_orderly_end_leaves_nothing_to_recover(make_log: Maker, closed_log: Path) -> None:
    before = kinds(list(AuditReader(closed_log).records()))
    assert kinds(reopened(make_log)) == [*before, "log.open", "log.close"]
    assert AuditVerifier().verify(closed_log, deep=True).is_intact


def test_open_calls_become_unknown(make_log: Maker, crashed: Path) -> None:
    new = reopened(make_log)[5:]
    assert kinds(new) == ["log.open", "log.recover", "call.unknown", "call.unknown", "log.close"]
    assert new[1]["open"] == 2
    assert new[1]["torn"] is None
    assert [(record["call"], record["tool"], record["client"]) for record in new[2:4]] == [
        ("c2", "b", "local"),
        ("c3", "c", "local"),
    ]
    assert AuditVerifier().verify(crashed, deep=True).is_intact


def test_torn_end_is_set_aside_and_told(make_log: Maker, crashed: Path) -> None:
    torn = b'{"call":"c4","kind":"call.in'
    with segment(crashed).open("ab") as file:
        file.write(torn)
    recover = reopened(make_log)[6]
    assert recover["torn"] == {
        "digest": sha256(torn).hexdigest(),
        "file": "00000000.torn",
        "len": len(torn),
        "segment": 0,
    }
    assert (crashed / "00000000.torn").read_bytes() == torn
    assert AuditVerifier().verify(crashed, deep=True).is_intact


def test_lines_behind_the_head_that_do_not_hold_are_set_aside_too(make_log: Maker, crashed: Path) -> None:
    # After a power cut a later block may have reached the disk and an earlier one not.
    lines = segment(crashed).read_bytes().split(b"\n")
    lines[3] = b"\x00" * len(lines[3])
    segment(crashed).write_bytes(b"\n".join(lines))
    records = reopened(make_log)
    assert kinds(records)[:5] == ["log.open", "call.intent", "call.done", "log.open", "log.recover"]
    assert records[4]["torn"]["len"] == len(lines[3]) + len(lines[4]) + 2
    assert AuditVerifier().verify(crashed, deep=True).is_intact


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda d: segment(d).write_bytes(segment(d).read_bytes()[:300]), "shorter than its head"),
        (lambda d: segment(d).unlink(), "segment 0 is missing"),
        (lambda d: (d / "head").unlink(), "head file of the audit log is missing"),
        (lambda d: (d / "head").write_bytes(b"x"), "head file of the audit log is damaged"),
        (lambda d: segment(d).write_bytes(segment(d).read_bytes().replace(b"c1", b"cX", 1)), "chain of the audit log"),
        (
            lambda d: segment(d).write_bytes(segment(d).read_bytes().replace(b"done", b"deny", 1)),
            "not the one its head",
        ),
        (lambda d: segment(d).rename(segment(d, 1)), "segment 0 of the audit log is missing"),
    ],
    ids=["cut", "segment removed", "head removed", "head damaged", "altered", "last synced altered", "renamed"],
)
def test_damaged_log_is_refused_until_acknowledged(
    make_log: Maker, crashed: Path, damage: Callable[[Path], object], reason: str
) -> None:
    damage(crashed)
    if reason.startswith("not the one"):
        set_two = segment(crashed).read_bytes()
        assert b"deny" in set_two
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=reason) as caught:
            make_log().open()
        assert "write the line" in str(caught.value)
    (crashed / "acknowledged").write_text("0123456789abcdef another finding\n")
    with pytest.raises(ConfigurationError, match=reason):
        make_log().open()
    finding = acknowledge(crashed, "the disk\nwas replaced")
    assert finding is not None
    told = [record for record in reopened(make_log) if record["kind"] == "log.recover"]
    assert told[-1]["acknowledged"] == {"finding": finding, "reason": "the disk was replaced"}
    assert not (crashed / "acknowledged").exists()
    assert acknowledge(crashed, "again") is None
    assert kinds(reopened(make_log))[-2:] == ["log.open", "log.close"]


def test_acknowledged_cut_verifies_again_and_acknowledged_change_never_does(make_log: Maker, crashed: Path) -> None:
    data = segment(crashed).read_bytes()
    segment(crashed).write_bytes(data[: data.index(b"\n") + 1])
    acknowledge(crashed, "restored from a backup")
    reopened(make_log)
    assert AuditVerifier().verify(crashed).is_intact
    segment(crashed).chmod(0o600)
    segment(crashed).write_bytes(segment(crashed).read_bytes().replace(b"log.open", b"log.oben"))
    assert not AuditVerifier().verify(crashed).is_intact


def test_segment_begun_and_left_empty_is_used(make_log: Maker, crashed: Path) -> None:
    segment(crashed, 1).touch()
    records = reopened(make_log)
    assert [record["seq"] for record in records] == list(range(len(records)))
    assert kinds(records).count("call.unknown") == 2
    assert segment(crashed, 1).stat().st_size > 0
    assert AuditVerifier().verify(crashed, deep=True).is_intact


def test_calls_open_across_a_rotation_are_remembered(make_log: Maker, tmp_path: Path) -> None:
    log = make_log(directory=tmp_path / "live", segment_bytes=2000)
    log.open()
    for number in range(250):
        log.append("call.intent", {"call": f"c{number:03}"})
    log.append("call.done", {"call": "c000"})
    shutil.copytree(tmp_path / "live", tmp_path / "audit")
    assert len(list((tmp_path / "audit").glob("*.jsonl"))) > 5
    unknown = [record["call"] for record in reopened(make_log) if record["kind"] == "call.unknown"]
    assert unknown == [f"c{number:03}" for number in range(1, 250)]
    assert AuditVerifier().verify(tmp_path / "audit", deep=True).is_intact


def test_two_crashes_in_a_row_on_two_days_forget_no_call(make_log: Maker, crashed: Path) -> None:
    tomorrow = 1_800_100_000 * 1_000_000_000
    log = make_log(wall_clock=lambda: tomorrow, monotonic=lambda: 1_000)
    log.open()
    log.close()
    # The second run died between its first record and the outcomes it was about to note.
    path = segment(crashed, 1)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\n") + 1])
    (crashed / "head").unlink()
    set_head(crashed, 3)
    log = make_log(wall_clock=lambda: tomorrow, monotonic=lambda: 2_000)
    log.open()
    log.close()
    assert kinds(list(AuditReader(crashed).records()))[-6:] == [
        *("log.open", "log.open", "log.recover", "call.unknown", "call.unknown", "log.close")
    ]
    assert AuditVerifier().verify(crashed, deep=True).is_intact


def test_crash_before_the_first_record(make_log: Maker, tmp_path: Path) -> None:
    log = make_log()
    log.open()
    log.close()
    directory = tmp_path / "audit"
    segment(directory).write_bytes(b"")
    (directory / "head").write_bytes(LogHead().encode())
    assert kinds(reopened(make_log)) == ["log.open", "log.close"]
    segment(directory).unlink()
    (directory / "head").write_bytes(LogHead().encode())
    assert kinds(reopened(make_log)) == ["log.open", "log.close"]
    assert AuditVerifier().verify(directory, deep=True).is_intact
