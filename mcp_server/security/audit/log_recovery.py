"""Take up a log where it ended, or refuse to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.call_role import CallRole
from mcp_server.security.audit.file_writer import FileWriter
from mcp_server.security.audit.hash_chain import GENESIS
from mcp_server.security.audit.log_directory import LogDirectory
from mcp_server.security.audit.log_head import LogHead
from mcp_server.security.audit.log_tail import LogTail
from mcp_server.security.audit.record_kind import KINDS
from mcp_server.security.audit.segment_files import (
    ACKNOWLEDGED_NAME,
    leaf_ending_at,
    line_ending_at,
    lines_of,
    segment_name,
)
from mcp_server.security.audit.segment_scan import SegmentScan

_FINDING_ID_LENGTH: Final = 16
_SECONDS_PER_DAY: Final = 86_400
_COPIED_TO_UNKNOWN: Final = ("call", "client", "tool")


class LogRecovery:
    """Examines the end of a log before anything is added to it.

    The rules, in order:

    1. The head file must be there and whole; the log must reach as far as it says.
    2. The last segment's chain must hold, and join the segment before it.
    3. What stands *behind* the head and does not hold was being written when the process or the machine died. It is
       moved into a `.torn` file and named, with length and digest, in a `log.recover` record.
    4. Anything else that does not hold has been synced once and changed since: nobody writes to such a log until an
       operator has acknowledged the finding, and that becomes a record too.

    Args:
        directory: The log's directory, locked.
        writer: The system calls.

    >>> import tempfile
    >>> directory = LogDirectory(Path(tempfile.mkdtemp()) / "audit")
    >>> LogRecovery(directory).run().segment is None
    True
    >>> directory.close()
    """

    def __init__(self, directory: LogDirectory, *, writer: FileWriter | None = None) -> None:
        self._directory = directory
        self._writer = writer if writer is not None else FileWriter()

    def run(self) -> LogTail:
        """Examine, set a torn end aside, and tell how the log goes on.

        Raises:
            ConfigurationError: The log is shorter than it was, or altered, and nobody has acknowledged it.
        """
        finding = self.examine()
        if finding is None:
            return self._resume()
        acknowledged = self._acknowledgement(finding)
        if acknowledged is None:
            raise ConfigurationError(
                f"{finding}. Nothing is served on a damaged audit log. Keep a copy of it and look into it "
                f"(mcp-server audit verify); then, to go on with what is left, write the line "
                f"'{finding_id(finding)} <your reason>' into the file '{ACKNOWLEDGED_NAME}' beside it",
                source=str(self._directory.path),
            )
        return self._resume_damaged(acknowledged)

    def examine(self) -> str | None:
        """Return what is wrong with the log beyond a torn end, None when nothing is; changes nothing."""
        numbers = self._directory.segments()
        try:
            head = self._directory.read_head()
        except ValueError:
            return "the head file of the audit log is damaged"
        if head is None:
            return "the head file of the audit log is missing" if numbers else None
        if head.seq < 0 and not numbers:
            return None
        if not numbers or numbers[-1] < head.segment:
            return f"the audit log is shorter than its head file says: segment {head.segment} is missing"
        if numbers[-1] > 0 and numbers[-1] - 1 not in numbers:
            return f"segment {numbers[-1] - 1} of the audit log is missing"
        return self._examine_head(head) or self._examine_chain(numbers[-1], head)

    def _examine_head(self, head: LogHead) -> str | None:
        if head.seq < 0:
            return None
        path = self._path(head.segment)
        size = path.stat().st_size
        if size < head.size:
            return (
                f"the audit log is shorter than its head file says: segment {head.segment} has {size} bytes, "
                f"and record {head.seq} ended at {head.size}"
            )
        if leaf_ending_at(path, head.size) != head.leaf.encode():
            return f"record {head.seq} of the audit log is not the one its head file names"
        return None

    def _examine_chain(self, last: int, head: LogHead) -> str | None:
        before = self._leaf_before(last)
        if before is None:
            return f"segment {last - 1} of the audit log does not end with a whole line"
        scan = SegmentScan.of(self._path(last), before)
        if not scan.is_whole and head.segment == last and scan.end < head.size:
            return f"the chain of the audit log breaks in segment {last}, line {scan.lines + 1}"
        return None

    def _leaf_before(self, number: int) -> bytes | None:
        """Return the leaf hash that the first line of a segment must name."""
        if number == 0:
            return GENESIS
        path = self._path(number - 1)
        return leaf_ending_at(path, path.stat().st_size)

    def _resume(self) -> LogTail:
        """Go on behind the last line that holds."""
        numbers = self._directory.segments()
        if not numbers:
            self._directory.write_head(LogHead())
            return LogTail()
        last = numbers[-1]
        scan = SegmentScan.of(self._path(last), self._leaf_before(last) or GENESIS)
        torn = None if scan.is_whole else self._cut(last, scan.end)
        return self._tail(last, scan.end, scan.leaf, torn)

    def _resume_damaged(self, acknowledged: dict[str, Any]) -> LogTail:
        """Go on in a new segment behind the last line there is; what does not hold stays where it is, as evidence."""
        numbers = self._directory.segments()
        if not numbers:
            return LogTail(acknowledged=acknowledged)
        last = numbers[-1]
        data = self._path(last).read_bytes()
        end = data.rfind(b"\n") + 1
        torn = self._cut(last, end) if end < len(data) else None
        leaf = leaf_ending_at(self._path(last), end)
        if leaf is None and last - 1 in numbers:
            leaf = self._leaf_before(last)
        return replace(self._tail(last, end, leaf or GENESIS, torn), acknowledged=acknowledged)

    def _tail(self, last: int, end: int, leaf: bytes, torn: dict[str, Any] | None) -> LogTail:
        # An empty segment was begun and nothing written to it: the last record is in the one before.
        holder = last if end or last == 0 or not self._path(last - 1).exists() else last - 1
        with self._path(holder).open("rb") as file:
            line = line_ending_at(file, os.fstat(file.fileno()).st_size) or b""
        record = _parse(line)
        was_closed = not line or record.get("kind") == "log.close"
        return LogTail(
            segment=last,
            size=end,
            next_seq=_number(record.get("seq"), -1) + 1,
            leaf=leaf,
            day=_day(self._path(last)),
            was_closed=was_closed,
            torn=torn,
            open_calls=() if was_closed else _open_calls(self._segments_that_count(holder)),
        )

    def _segments_that_count(self, number: int) -> list[Path]:
        """Return the segments that may hold an open call, oldest first.

        A segment begun by a running log begins by naming the calls under way, so nothing before it counts. One begun
        at a start does not; then the one before counts as well, unless it ends in good order.
        """
        paths = [self._path(number)]
        while number > 0 and _parse(next(lines_of(paths[0]), b"")).get("kind") != "log.rotate":
            number -= 1
            path = self._path(number)
            if not path.exists():
                break
            with path.open("rb") as file:
                last = line_ending_at(file, os.fstat(file.fileno()).st_size) or b""
            if _parse(last).get("kind") == "log.close":
                break
            paths.insert(0, path)
        return paths

    def _cut(self, number: int, end: int) -> dict[str, Any]:
        """Move everything behind `end` into a file of its own; the copy is on disk before the original is cut."""
        path = self._path(number)
        with path.open("rb") as file:
            file.seek(end)
            data = file.read()
        name = self._directory.set_aside(number, data)
        fd = self._directory.open_segment(number)
        try:
            self._writer.truncate(fd, end)
            self._writer.fsync(fd)
        finally:
            os.close(fd)
        return {"digest": sha256(data).hexdigest(), "file": name, "len": len(data), "segment": number}

    def _acknowledgement(self, finding: str) -> dict[str, Any] | None:
        text = self._directory.read_acknowledgement()
        if text is None:
            return None
        identifier, _, reason = text.strip().partition(" ")
        if identifier != finding_id(finding) or not reason.strip():
            return None
        return {"finding": finding, "reason": reason.strip()[:500]}

    def _path(self, number: int) -> Path:
        return self._directory.path / segment_name(number)


def finding_id(finding: str) -> str:
    """Return the short name of a finding, which an acknowledgement must repeat so that it cannot cover another one.

    >>> finding_id("a segment of the audit log is missing")
    '0ad23b2d0c1c0e0f'
    """
    return sha256(finding.encode()).hexdigest()[:_FINDING_ID_LENGTH]


def acknowledge(directory: Path, reason: str) -> str | None:
    """Acknowledge what is wrong with a log, so that the next start goes on with what is left of it.

    The next start writes finding and reason into the log itself.

    Args:
        directory: The log's directory.
        reason: Why it is right to go on, in the operator's words.

    Returns:
        The finding, None when there is nothing to acknowledge.
    """
    opened = LogDirectory(directory)
    try:
        finding = LogRecovery(opened).examine()
        if finding is not None:
            opened.write_acknowledgement(f"{finding_id(finding)} {' '.join(reason.split())}\n")
        return finding
    finally:
        opened.close()


def _parse(line: bytes) -> Mapping[str, Any]:
    try:
        value = from_json(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _number(value: Any, otherwise: int) -> int:
    return value if type(value) is int else otherwise


def _day(path: Path) -> int | None:
    """Return the day of a segment's first record."""
    for line in lines_of(path):
        try:
            return int(datetime.fromisoformat(_parse(line)["ts"]).timestamp()) // _SECONDS_PER_DAY
        except (KeyError, TypeError, ValueError):
            return None
    return None


def _open_calls(paths: list[Path]) -> tuple[dict[str, Any], ...]:
    """Return who, what and which call for every intent of some segments that no outcome follows."""
    intents: dict[str, dict[str, Any]] = {}
    for line in chain.from_iterable(map(lines_of, paths)):
        # A line with neither word cannot matter here; parsing is what costs.
        if b'"kind":"call.' not in line and b'"kind":"log.rotate"' not in line:
            continue
        record = _parse(line)
        kind = KINDS.get(record.get("kind", ""))
        call = record.get("call")
        if kind is None:
            continue
        if kind.name == "log.rotate":
            # The segment begins with the calls that were open when it was begun.
            named = record.get("open")
            for name in named if isinstance(named, list) else ():
                intents.setdefault(name, {"call": name})
        elif isinstance(call, str) and kind.role is CallRole.INTENT:
            intents[call] = {name: record[name] for name in _COPIED_TO_UNKNOWN if name in record}
        elif isinstance(call, str) and kind.role is CallRole.OUTCOME:
            intents.pop(call, None)
    return tuple(intents.values())
