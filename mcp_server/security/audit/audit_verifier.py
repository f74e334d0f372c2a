"""Find out whether a log is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic_core import from_json

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.audit_verdict import AuditVerdict
from mcp_server.security.audit.hash_chain import GENESIS, LINK_LENGTH, leaf_hash, link_to
from mcp_server.security.audit.log_head import LogHead
from mcp_server.security.audit.record_checker import RecordChecker
from mcp_server.security.audit.segment_files import HEAD_NAME, line_ending_at, lines_of, list_segments
from mcp_server.security.audit.segment_scan import SegmentScan
from mcp_server.security.audit.verdict_state import VerdictState


class AuditVerifier:
    """Reads a log from its first record to its last and holds it against its chain and its head file.

    It takes no lock and changes nothing, so it may run while the log is written. What it proves: every record but the
    last is the one that was there when the next was written, and the log reaches at least as far as the head file
    says. Against somebody who rewrites the log from a point on *and* the head file, only a checkpoint that left the
    machine helps.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> AuditVerifier().verify(folder).reason
    'there is no audit log'
    """

    def verify(self, directory: Path, *, deep: bool = False) -> AuditVerdict:
        """Verify all segments of a log.

        Args:
            directory: Where the log lives.
            deep: Also parse every record strictly, compare its canonical form, and check numbers and calls.

        Raises:
            ConfigurationError: The directory cannot be read.
        """
        try:
            return self._verify(directory, deep)
        except OSError as error:
            raise ConfigurationError(
                f"the audit log cannot be read ({error.strerror})", source=str(directory)
            ) from error

    def _verify(self, directory: Path, deep: bool) -> AuditVerdict:
        # The head is read first: what is written in the meantime can only be beyond it.
        head = _read_head(directory / HEAD_NAME)
        segments = list_segments(directory)
        if not segments and (head is None or head == LogHead()):
            return AuditVerdict(VerdictState.TRUNCATED, reason="there is no audit log")
        leaf = GENESIS
        records = 0
        beyond_head = 0
        expected = 0
        last = b""
        torn = (0, 0, 0)
        for number, path in segments:
            if number != expected:
                reason = f"segment {expected} is missing"
                return AuditVerdict(VerdictState.ALTERED, records, expected, segment=expected, line=1, reason=reason)
            scan = SegmentScan.of(path, leaf)
            if scan.broken is not None:
                return _broken(number, path, scan, last, records)
            if scan.rest and number != segments[-1][0]:
                return AuditVerdict(
                    VerdictState.ALTERED,
                    records + scan.lines,
                    expected + 1,
                    segment=number,
                    line=scan.lines + 1,
                    reason="the last line of a finished segment has no end",
                )
            if isinstance(head, LogHead) and number >= head.segment:
                beyond_head += _lines_behind(path, head.size if number == head.segment else 0, scan)
            leaf = scan.leaf
            last = scan.last or last
            records += scan.lines
            expected += 1
            torn = (scan.rest, number, scan.lines)
        if deep:
            verdict, open_calls = _check_records(segments, records)
            if verdict is not None:
                return verdict
        else:
            open_calls = None
        fault = _hold_against_head(head, segments)
        if fault is not None:
            state, reason = fault
            return AuditVerdict(state, records, expected, seq=_seq(last), segment=expected - 1, reason=reason)
        if torn[0]:
            return AuditVerdict(
                VerdictState.TRUNCATED,
                records,
                expected,
                beyond_head=beyond_head,
                segment=torn[1],
                line=torn[2] + 1,
                reason=f"the last line is torn after {torn[0]} bytes; the next start of the server sets it aside",
            )
        return AuditVerdict(VerdictState.INTACT, records, expected, beyond_head=beyond_head, open_calls=open_calls)


def _read_head(path: Path) -> LogHead | str | None:
    """Return the head file's content, what is wrong with it, or None when there is none."""
    try:
        return LogHead.decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        return "the head file is damaged"


def _hold_against_head(head: LogHead | str | None, segments: list[tuple[int, Path]]) -> tuple[VerdictState, str] | None:
    if head is None:
        return VerdictState.TRUNCATED, "the head file, which says how far the log must reach, is missing"
    if isinstance(head, str):
        return VerdictState.ALTERED, head
    if head.seq < 0:
        return None
    path = dict(segments).get(head.segment)
    if path is None:
        return VerdictState.TRUNCATED, f"segment {head.segment}, which the head file names, is missing"
    size = path.stat().st_size
    if size < head.size:
        reason = f"the head file names record {head.seq}, ending at byte {head.size}; the segment has {size} bytes"
        return VerdictState.TRUNCATED, reason
    with path.open("rb") as file:
        line = line_ending_at(file, head.size)
    if line is None or leaf_hash(line).decode() != head.leaf or _seq(line) != head.seq:
        return VerdictState.ALTERED, f"record {head.seq} is not the one the head file names"
    return None


def _lines_behind(path: Path, size: int, scan: SegmentScan) -> int:
    if size == 0:
        return scan.lines
    with path.open("rb") as file:
        file.seek(size)
        return file.read(scan.end - size).count(b"\n") if size < scan.end else 0


def _broken(number: int, path: Path, scan: SegmentScan, last: bytes, records: int) -> AuditVerdict:
    """Say which of two lines that do not fit together is to blame, as far as it can be told."""
    here = scan.broken or b""
    before = scan.last or last
    line = scan.lines + 1
    seq_here, seq_before = _seq(here), _seq(before)
    expected = 0 if seq_before is None and not before else (seq_before or 0) + 1
    if seq_here is not None and (seq_before is not None or not before) and seq_here != expected:
        reason = f"record {expected} is expected here and record {seq_here} is found: removed, inserted or moved"
        seq: int | None = expected
    elif before and _follows(path, line, here):
        # The line behind still names this one, so this one is as it was; the one before it is not.
        reason = "the record is not the one that the next record names: it was changed"
        seq, line = seq_before, line - 1
        if seq is None and seq_here is not None:
            seq = seq_here - 1
    else:
        reason = "the record does not name the one before it: it was changed"
        seq = seq_here if seq_here is not None else expected
    return AuditVerdict(
        VerdictState.ALTERED, records + scan.lines, number + 1, seq=seq, segment=number, line=line, reason=reason
    )


def _follows(path: Path, line: int, here: bytes) -> bool:
    """Whether the line behind line number `line`, which reads `here`, names it; True when there is none."""
    for number, text in enumerate(lines_of(path), start=1):
        if number == line + 1:
            return text[-LINK_LENGTH:] == link_to(leaf_hash(here))
    return True


def _check_records(segments: list[tuple[int, Path]], records: int) -> tuple[AuditVerdict | None, int]:
    checker = RecordChecker()
    count = 0
    for number, path in segments:
        for line_number, line in enumerate(lines_of(path), start=1):
            if count == records:
                break  # written since the chain was checked
            fault = checker.check(line)
            if fault is not None:
                verdict = AuditVerdict(
                    VerdictState.ALTERED,
                    count,
                    number + 1,
                    seq=_seq(line),
                    segment=number,
                    line=line_number,
                    reason=fault,
                )
                return verdict, 0
            count += 1
    return None, len(checker.open_calls)


def _seq(line: bytes) -> int | None:
    """Return the number of a record, None when the line cannot tell."""
    try:
        value: Any = from_json(line)
    except ValueError:
        return None
    seq = value.get("seq") if isinstance(value, dict) else None
    return seq if type(seq) is int else None
