from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_reader import AuditReader
from mcp_server.security.audit.record_filter import RecordFilter
from mcp_server.security.audit_logger import AuditLogger


@pytest.fixture
def segmented(make_log: Callable[..., AuditLogger], tmp_path: Path) -> Path:
    """A log of several small segments."""
    log = make_log(segment_bytes=1500)
    log.open()
    for number in range(40):
        log.append("call.done", {"call": f"c{number}", "tool": "odd" if number % 2 else "even"})
    log.close()
    assert len(list((tmp_path / "audit").glob("*.jsonl"))) > 3
    return tmp_path / "audit"


def test_tail_reaches_back_across_segments(segmented: Path) -> None:
    reader = AuditReader(segmented)
    everything = list(reader.records())
    assert [record["seq"] for record in everything] == list(range(len(everything)))
    for count in (0, 1, 7, 30, len(everything), 1000):
        assert reader.tail(count) == (everything[-count:] if count else [])


def test_tail_counts_only_what_matches(segmented: Path) -> None:
    found = AuditReader(segmented).tail(5, RecordFilter(tool="odd"))
    assert [record["call"] for record in found] == ["c31", "c33", "c35", "c37", "c39"]


def test_long_segment_is_read_backwards_in_blocks(tmp_path: Path) -> None:
    lines = [b'{"kind":"a","seq":%d,"text":"%s"}' % (number, b"x" * 9000) for number in range(50)]
    (tmp_path / "00000000.jsonl").write_bytes(b"\n".join(lines) + b"\ntorn")
    assert [record["seq"] for record in AuditReader(tmp_path).tail(100)] == list(range(50))


def test_damaged_line_is_shown_as_it_is(segmented: Path) -> None:
    first = segmented / "00000000.jsonl"
    first.chmod(0o600)
    first.write_bytes(b"\xff{\n[1]\n" + first.read_bytes())
    records = list(AuditReader(segmented).records())
    assert records[0] == {"kind": "unreadable", "raw": "\\xff{"}
    assert records[1]["kind"] == "unreadable"
    assert records[2]["seq"] == 0


def test_follower_sees_what_is_written_in_every_segment(make_log: Callable[..., AuditLogger], tmp_path: Path) -> None:
    log = make_log(segment_bytes=1500)
    log.open()
    written: list[int] = []

    def wait() -> bool:
        if len(written) == 30:
            return False
        written.append(log.append("call.done", {"call": "c"}))
        return True

    followed = [r["seq"] for r in AuditReader(tmp_path / "audit").follow(wait, RecordFilter(kind="call"))]
    assert followed == written
    again = AuditReader(tmp_path / "audit").follow(lambda: False, RecordFilter(kind="call"), after_seq=written[9])
    assert [record["seq"] for record in again] == written[10:]


def test_follower_of_a_log_that_does_not_exist_yet_waits(tmp_path: Path) -> None:
    answers = iter([True, True, False])
    assert list(AuditReader(tmp_path).follow(lambda: next(answers))) == []


def test_missing_directory_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        AuditReader(tmp_path / "none").tail(1)
