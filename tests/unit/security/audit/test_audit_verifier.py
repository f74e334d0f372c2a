from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_verdict import AuditVerdict
from mcp_server.security.audit.audit_verifier import AuditVerifier
from mcp_server.security.audit.hash_chain import GENESIS, leaf_hash, link_to
from mcp_server.security.audit.log_head import LogHead
from mcp_server.security.audit.verdict_state import VerdictState
from mcp_server.security.audit_logger import AuditLogger


def segment(directory: Path, number: int = 0) -> Path:
    path = directory / f"{number:08d}.jsonl"
    path.chmod(0o600)
    return path


def edit(directory: Path, old: bytes, new: bytes) -> None:
    data = segment(directory).read_bytes()
    assert old in data
    segment(directory).write_bytes(data.replace(old, new, 1))


@pytest.mark.parametrize("deep", [False, True])
def test_log_as_it_was_written_is_intact(closed_log: Path, deep: bool) -> None:
    expected = AuditVerdict(VerdictState.INTACT, records=8, segments=1, open_calls=0 if deep else None)
    assert AuditVerifier().verify(closed_log, deep=deep) == expected


def test_changed_record_is_named(closed_log: Path) -> None:
    edit(closed_log, b'"call":"c1"', b'"call":"c7"')
    verdict = AuditVerifier().verify(closed_log)
    assert (verdict.state, verdict.seq, verdict.segment, verdict.line) == (VerdictState.ALTERED, 3, 0, 4)
    assert "changed" in verdict.reason


def test_changed_link_is_named(closed_log: Path) -> None:
    lines = segment(closed_log).read_bytes().split(b"\n")
    lines[4] = lines[4][:-10] + (b"0" if lines[4][-10:-9] != b"0" else b"1") + lines[4][-9:]
    segment(closed_log).write_bytes(b"\n".join(lines))
    verdict = AuditVerifier().verify(closed_log)
    assert (verdict.state, verdict.seq, verdict.line) == (VerdictState.ALTERED, 4, 5)


def test_removed_record_is_named(closed_log: Path) -> None:
    lines = segment(closed_log).read_bytes().split(b"\n")
    segment(closed_log).write_bytes(b"\n".join(lines[:3] + lines[4:]))
    verdict = AuditVerifier().verify(closed_log)
    assert (verdict.state, verdict.seq, verdict.line) == (VerdictState.ALTERED, 3, 4)
    assert "removed" in verdict.reason


def test_first_record_cannot_be_exchanged(closed_log: Path) -> None:
    edit(closed_log, b'"durability":"process"', b'"durability":"disk"')
    assert AuditVerifier().verify(closed_log).seq == 0


def test_last_record_is_held_against_the_head(closed_log: Path) -> None:
    edit(closed_log, b'"log.close"', b'"log.clone"')
    verdict = AuditVerifier().verify(closed_log)
    assert verdict.state is VerdictState.ALTERED
    assert "head file" in verdict.reason


def test_cut_log_is_truncated(closed_log: Path) -> None:
    data = segment(closed_log).read_bytes()
    segment(closed_log).write_bytes(data[: data.rindex(b"\n", 0, -1) + 1])
    verdict = AuditVerifier().verify(closed_log)
    assert (verdict.state, verdict.records) == (VerdictState.TRUNCATED, 7)


def test_torn_end_is_told_apart(closed_log: Path) -> None:
    with segment(closed_log).open("ab") as file:
        file.write(b'{"a')
    verdict = AuditVerifier().verify(closed_log)
    assert (verdict.state, verdict.line) == (VerdictState.TRUNCATED, 9)
    assert "torn after 3 bytes" in verdict.reason


def test_records_beyond_the_head_are_counted(closed_log: Path) -> None:
    first = segment(closed_log).read_bytes().split(b"\n")[0]
    (closed_log / "head").write_bytes(LogHead(0, 0, len(first) + 1, leaf_hash(first).decode()).encode())
    assert AuditVerifier().verify(closed_log).beyond_head == 7


@pytest.mark.parametrize(
    ("content", "state"),
    [(None, VerdictState.TRUNCATED), (b"", VerdictState.ALTERED), (LogHead(2, 7, 5).encode(), VerdictState.TRUNCATED)],
)
def test_head_that_says_nothing_useful(closed_log: Path, content: bytes | None, state: VerdictState) -> None:
    (closed_log / "head").unlink()
    if content is not None:
        (closed_log / "head").write_bytes(content)
    assert AuditVerifier().verify(closed_log).state is state


def test_head_with_another_number_is_no_proof(closed_log: Path) -> None:
    head = LogHead.decode((closed_log / "head").read_bytes())
    (closed_log / "head").write_bytes(LogHead(head.seq - 1, head.segment, head.size, head.leaf).encode())
    assert AuditVerifier().verify(closed_log).state is VerdictState.ALTERED


def test_nothing_there_is_not_intact(tmp_path: Path) -> None:
    assert AuditVerifier().verify(tmp_path).state is VerdictState.TRUNCATED
    (tmp_path / "head").write_bytes(LogHead(3, 0, 100, "0" * 64).encode())
    assert AuditVerifier().verify(tmp_path).state is VerdictState.TRUNCATED


def test_unreadable_directory_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        AuditVerifier().verify(tmp_path / "none")


@pytest.fixture
def segmented(make_log: Callable[..., AuditLogger], tmp_path: Path) -> Path:
    log = make_log(segment_bytes=1200)
    log.open()
    for number in range(30):
        log.append("call.done", {"call": f"c{number}"})
    log.close()
    assert len(list((tmp_path / "audit").glob("*.jsonl"))) > 4
    return tmp_path / "audit"


def test_segments_are_joined(segmented: Path) -> None:
    for deep in (False, True):
        assert AuditVerifier().verify(segmented, deep=deep).is_intact
    assert AuditVerifier().verify(segmented).segments == len(list(segmented.glob("*.jsonl")))


@pytest.mark.parametrize("number", [0, 1, 3])
def test_missing_segment_is_found(segmented: Path, number: int) -> None:
    segment(segmented, number).unlink()
    verdict = AuditVerifier().verify(segmented)
    assert (verdict.state, verdict.segment) == (VerdictState.ALTERED, number)


def test_exchanged_segments_are_found(segmented: Path) -> None:
    first, second = segment(segmented, 1), segment(segmented, 2)
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    assert AuditVerifier().verify(segmented).segment == 1


def test_torn_segment_in_the_middle_is_altered(segmented: Path) -> None:
    with segment(segmented, 1).open("ab") as file:
        file.write(b"x")
    verdict = AuditVerifier().verify(segmented)
    assert (verdict.state, verdict.segment) == (VerdictState.ALTERED, 1)


def test_deep_mode_looks_into_records_that_a_liar_chained_well(closed_log: Path) -> None:
    # Somebody with the right to write replaced everything, head included, but not by what we would have written.
    lines = [b'{"note":"nothing happened","seq":%d' % number for number in range(2)]
    leaf, data = GENESIS, b""
    for line in lines:
        whole = line + link_to(leaf)
        leaf, data = leaf_hash(whole), data + whole + b"\n"
    segment(closed_log).write_bytes(data)
    (closed_log / "head").write_bytes(LogHead(1, 0, len(data), leaf.decode()).encode())
    assert AuditVerifier().verify(closed_log).is_intact
    verdict = AuditVerifier().verify(closed_log, deep=True)
    assert (verdict.state, verdict.seq, verdict.line) == (VerdictState.ALTERED, 0, 1)
    assert "missing" in verdict.reason


def test_open_calls_of_a_running_log_are_counted(make_log: Callable[..., AuditLogger], tmp_path: Path) -> None:
    log = make_log()
    log.open()
    log.append("call.intent", {"call": "c"})
    verdict = AuditVerifier().verify(tmp_path / "audit", deep=True)
    assert (verdict.state, verdict.open_calls) == (VerdictState.INTACT, 1)
