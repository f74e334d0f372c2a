"""The writing end of an open log."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any, Final

from pydantic_core import from_json

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.security.audit.disk_level import DiskLevel
from mcp_server.security.audit.disk_space import DiskSpace
from mcp_server.security.audit.file_writer import FileWriter
from mcp_server.security.audit.fork_guard import ForkGuard
from mcp_server.security.audit.hash_chain import LEAF_PREFIX
from mcp_server.security.audit.log_directory import LogDirectory
from mcp_server.security.audit.log_head import LogHead
from mcp_server.security.audit.log_tail import LogTail
from mcp_server.security.audit.prepared_record import PreparedRecord
from mcp_server.security.audit.record_encoder import RecordEncoder
from mcp_server.security.audit.record_layout import RecordLayout

logger = logging.getLogger(__name__)

# Looking a member of an enumeration up is not free, and this is done for every call.
_REFUSE: Final = DiskLevel.REFUSE
_MICROSECONDS: Final = 1_000_000
_SECONDS_PER_DAY: Final = 86_400
# A clock set by more than this, against the clock that only counts, is worth a record.
_CLOCK_STEP_MICROSECONDS: Final = 1 * _MICROSECONDS
# statvfs costs a microsecond; even of the longest records this many are 4 MiB, far less than the refusal threshold.
_RECORDS_BETWEEN_DISK_CHECKS: Final = 256
# One file replaced a second keeps the head fresh without doubling the syncs of a busy log.
_HEAD_INTERVAL_MICROSECONDS: Final = 1 * _MICROSECONDS
# Sets of field names come from our own code and are a few dozen; a bound all the same.
_MAX_LAYOUTS: Final = 512
# So many call ids fit into one `log.rotate` record; more are told in further ones.
_OPEN_CALLS_PER_RECORD: Final = 200


class RecordWriter:
    """Appends records to the segments of one log, from `LogTail` on, until the first failure.

    The order within `write` is what the log promises: the line is complete before it is handed to the kernel, and the
    state (number, leaf hash, size) moves on only when the kernel took all of it. A short or failed write is cut off
    again, and then nothing more is accepted: whoever wants to go on has to read the tail again, on a new descriptor.

    `write` and `check_disk` must be called under the lock that is handed in; `sync` and `write_head` take it.

    Args:
        directory: The log's directory, locked by this process.
        tail: Where the log goes on.
        begins_segment: Whether to begin a new segment instead of appending to the last one.
        lock: Guards the state.
        wall_clock: Nanoseconds since 1970.
        monotonic: Nanoseconds since the machine started.
        encoder: Makes lines of records.
        segment_bytes: When a segment is full.
        stream: The name of this log among several.
        writer: The system calls.
        disk_space: Asked how full the disk is, with a descriptor of the directory.

    >>> import tempfile, pathlib
    >>> directory = LogDirectory(pathlib.Path(tempfile.mkdtemp()) / "audit")
    >>> writer = RecordWriter(directory=directory, tail=LogTail(), begins_segment=True, lock=threading.Lock(),
    ...     wall_clock=lambda: 0, monotonic=lambda: 0, encoder=RecordEncoder(max_bytes=16384), segment_bytes=1024,
    ...     stream="main", writer=FileWriter(), disk_space=DiskSpace.of)
    >>> writer.write("server.start", {}), writer.write("server.stop", {})
    (0, 1)
    >>> writer.close(); directory.close()
    """

    def __init__(
        self,
        *,
        directory: LogDirectory,
        tail: LogTail,
        begins_segment: bool,
        lock: threading.Lock,
        wall_clock: Callable[[], int],
        monotonic: Callable[[], int],
        encoder: RecordEncoder,
        segment_bytes: int,
        stream: str,
        writer: FileWriter,
        disk_space: Callable[[int], DiskSpace],
    ) -> None:
        self._directory = directory
        self._lock = lock
        self._wall_clock = wall_clock
        self._monotonic = monotonic
        self._encode = encoder.encode
        self._max_bytes = encoder.max_bytes
        self._segment_bytes = segment_bytes
        self._stream = stream
        self._writer = writer
        self._write_bytes = writer.write
        self._disk_space = disk_space
        self._layouts: dict[tuple[str, ...], RecordLayout] = {}
        self._second_start = -_MICROSECONDS
        self._second_text = b""
        self._seq = tail.next_seq
        self._leaf = tail.leaf
        self._day = tail.day
        self._size = tail.size
        self._clock_offset = 0
        self._has_clock = False
        self._next_disk_check = 0
        self._head_written_at: int | None = None
        self._synced_head: LogHead | None = None
        self._written_head: LogHead | None = None
        self.open_calls: dict[str, None] = {}
        self.disk_level = DiskLevel.NORMAL
        self.has_failed = False
        self.on_record: Callable[[Mapping[str, Any]], None] | None = None
        self._segment = 0 if tail.segment is None else tail.segment
        if begins_segment:
            if tail.segment is not None:
                self._segment += 1
            self._size, self._day = 0, None
            self._fd = directory.create_segment(self._segment)
        else:
            self._fd = directory.open_segment(self._segment)
        self._guard = ForkGuard()
        # Looked at for every record; it belongs to the guard.
        self._guard_page = self._guard.page

    @property
    def is_original(self) -> bool:
        """Whether this process opened the log, and is not a fork of the one that did."""
        return self._guard.is_original

    def write(self, kind: str, fields: Mapping[str, Any]) -> int:
        """Write one record and return its number.

        Raises:
            AuditUnavailableError: It was not written.
            ValueError: The kind or a field cannot be recorded.
        """
        layout = self._layouts.get((kind, *fields)) or self._new_layout(kind, fields)
        ts, mono = self._begin(layout)
        record = layout.template.copy()
        record.update(fields)
        record["mono"] = mono
        record["seq"] = self._seq
        record["ts"] = ts.decode("ascii")
        record["x_prev"] = self._leaf.decode("ascii")
        seq = self._finish(layout, self._encode(record, fields), fields.get("call"))
        if self.on_record is not None:
            self.on_record(record)
        return seq

    def write_prepared(self, prepared: PreparedRecord, values: tuple[bytes, ...], call: str) -> int:
        """Write one record whose constant part was encoded before; return its number.

        Args:
            prepared: The record.
            values: Its variable fields as canonical JSON, in the order in which they were named.
            call: The id of the call that it tells of.

        Raises:
            AuditUnavailableError: It was not written.
        """
        layout = prepared.layout
        ts, mono = self._begin(layout)
        line = prepared.line(values, mono, self._seq, ts, self._leaf)
        if len(line) > self._max_bytes:
            # The general way cuts it.
            fields = {name: from_json(value) for name, value in zip(prepared.variables, values, strict=True)}
            return self.write(layout.kind.name, {**prepared.constants, **fields})
        seq = self._finish(layout, line, call)
        if self.on_record is not None:
            self.on_record(from_json(line))
        return seq

    def _begin(self, layout: RecordLayout) -> tuple[bytes, int]:
        """Make sure that a record may be written now, and return its time: the text, and the counting clock's."""
        if self.has_failed or not self._guard_page[0]:
            raise self._unavailable()
        microseconds = self._wall_clock() // 1000
        # Microseconds, not nanoseconds: those pass 2^53, the last exact integer of JSON, after 104 days.
        mono = self._monotonic() // 1000
        fraction = microseconds - self._second_start
        offset = microseconds - mono
        if (
            fraction // _MICROSECONDS  # another second than the one whose text is at hand
            or abs(offset - self._clock_offset) > _CLOCK_STEP_MICROSECONDS
            or self._seq >= self._next_disk_check
            or self._size >= self._segment_bytes
        ):
            microseconds, mono = self._keep_house(microseconds, mono)
            fraction = microseconds - self._second_start
            offset = microseconds - mono
        self._clock_offset = offset
        if self.disk_level is _REFUSE and layout.begins_work:
            self.check_disk()
            if self.disk_level is _REFUSE:
                raise AuditUnavailableError(
                    "the disk below the audit log is nearly full, so nothing new is begun; ask the operator"
                )
        return b"%b%06dZ" % (self._second_text, fraction), mono

    def _finish(self, layout: RecordLayout, line: bytes, call: Any) -> int:
        """Hand the complete line to the kernel, and move on only when it took all of it."""
        try:
            written = self._write_bytes(self._fd, line + b"\n")
        except OSError as error:
            self._cut_back(layout.kind.name, error.strerror or "error")
            raise self._unavailable() from error
        if written != len(line) + 1:
            self._cut_back(layout.kind.name, "short write")
            raise self._unavailable()
        self._leaf = sha256(LEAF_PREFIX + line).hexdigest().encode()
        seq = self._seq
        self._seq = seq + 1
        self._size += written
        if layout.opens_call:
            self.open_calls[call] = None
        elif layout.closes_call and call is not None:
            self.open_calls.pop(call, None)
        return seq

    def check_disk(self) -> None:
        """Look how full the disk is, and record when that has changed."""
        self._next_disk_check = self._seq + _RECORDS_BETWEEN_DISK_CHECKS
        free: int | None = None
        level = DiskLevel.REFUSE
        try:
            space = self._disk_space(self._directory.fd)
            level, free = space.level, space.free_bytes
        except OSError as error:
            logger.warning("the room below the audit log is unknown: %s", error.strerror)
        if level is self.disk_level:
            return
        self.disk_level = level
        logger.warning("the disk below the audit log is now at level %s", level.value)
        kind = "log.halt" if level is DiskLevel.REFUSE else "log.space"
        self.write(kind, {"free_bytes": free, "level": level.value})

    def sync(self) -> int:
        """Bring everything written so far to the disk; return the number of the last record that is there.

        Raises:
            OSError: The disk refused. Not to be tried again on this descriptor: the kernel may have dropped the data
                and would report success the second time.
        """
        with self._lock:
            # A descriptor of our own, for the segment may be finished and closed while the disk is busy.
            fd = os.dup(self._fd)
            head = LogHead(seq=self._seq - 1, segment=self._segment, size=self._size, leaf=self._leaf.decode("ascii"))
        try:
            self._writer.fdatasync(fd)
        finally:
            os.close(fd)
        self._synced_head = head
        now = self._monotonic() // 1000
        if self._head_written_at is None or now - self._head_written_at >= _HEAD_INTERVAL_MICROSECONDS:
            self.write_head()
        return head.seq

    def write_head(self) -> None:
        """Note in the head file what the last `sync` brought to the disk; called by whoever calls `sync`."""
        if self._synced_head is not None and self._synced_head is not self._written_head:
            self._directory.write_head(self._synced_head)
            self._written_head = self._synced_head
            self._head_written_at = self._monotonic() // 1000

    def fail(self, reason: str) -> None:
        """Accept nothing more."""
        if not self.has_failed:
            self.has_failed = True
            logger.critical("the audit log has failed (%s); every call is refused from now on", reason)

    def close(self) -> None:
        """Let go of the segment."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._guard.close()
        self._guard_page = self._guard.page

    def _keep_house(self, microseconds: int, mono: int) -> tuple[int, int]:
        """Do what is due between two records; return the time afterwards."""
        offset = microseconds - mono
        step = offset - self._clock_offset
        self._clock_offset = offset
        day = microseconds // _MICROSECONDS // _SECONDS_PER_DAY
        self._set_second(microseconds)
        if self._has_clock and not -_CLOCK_STEP_MICROSECONDS <= step <= _CLOCK_STEP_MICROSECONDS:
            self.write("clock.jump", {"step_us": step})
        self._has_clock = True
        if self._day is None:
            self._day = day
        if self._size >= self._segment_bytes or day > self._day:
            self._rotate(day)
        if self._seq >= self._next_disk_check:
            self.check_disk()
        microseconds = self._wall_clock() // 1000
        self._set_second(microseconds)
        return microseconds, self._monotonic() // 1000

    def _set_second(self, microseconds: int) -> None:
        second = microseconds // _MICROSECONDS
        self._second_start = second * _MICROSECONDS
        self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second)).encode("ascii")

    def _rotate(self, day: int) -> None:
        """Finish the segment and begin the next one, whose first records name the calls under way."""
        finished = {"leaf": self._leaf.decode("ascii"), "segment": self._segment, "size": self._size}
        try:
            self._writer.fdatasync(self._fd)
            fd = self._directory.create_segment(self._segment + 1)
            self._directory.seal_segment(self._fd)
            os.close(self._fd)
        except OSError as error:
            self.fail(f"a new segment cannot be begun: {error.strerror}")
            raise self._unavailable() from error
        self._fd = fd
        self._segment += 1
        self._size, self._day = 0, day
        self._head_written_at = None  # so that the next sync notes the new segment
        calls = list(self.open_calls)
        for start in range(0, max(len(calls), 1), _OPEN_CALLS_PER_RECORD):
            self.write("log.rotate", {"finished": finished, "open": calls[start : start + _OPEN_CALLS_PER_RECORD]})

    def _cut_back(self, kind: str, reason: str) -> None:
        """Remove what a failed write left behind, and say so in a last record if there is room for it."""
        self.fail(f"writing {kind}: {reason}")
        try:
            self._writer.truncate(self._fd, self._size)
            self._directory.release_reserve()
            template = self._new_layout("log.halt", {"reason": reason}).template
            record = {**template, "mono": self._monotonic() // 1000, "reason": reason, "seq": self._seq}
            fraction = self._wall_clock() // 1000 - self._second_start
            ts = b"%b%06dZ" % (self._second_text, min(max(fraction, 0), 999_999))
            record |= {"ts": ts.decode("ascii"), "x_prev": self._leaf.decode("ascii")}
            line = self._encode(record, {})
            if self._write_bytes(self._fd, line + b"\n") == len(line) + 1:
                self._leaf = sha256(LEAF_PREFIX + line).hexdigest().encode()
                self._seq += 1
                self._size += len(line) + 1
            else:
                self._writer.truncate(self._fd, self._size)
        except OSError as error:
            # The torn end, if any is left, is set aside when the log is opened again.
            logger.warning("the last good end of the audit log could not be restored: %s", error.strerror)

    def _new_layout(self, kind: str, fields: Mapping[str, Any]) -> RecordLayout:
        layout = RecordLayout(kind, fields, stream=self._stream)
        if len(self._layouts) < _MAX_LAYOUTS:
            self._layouts[(kind, *fields)] = layout
        return layout

    def _unavailable(self) -> AuditUnavailableError:
        if not self._guard.is_original:
            return AuditUnavailableError("this process is a fork of the one that keeps the audit log; it may not write")
        return AuditUnavailableError(
            "the audit log cannot be written, so nothing is done; ask the operator to look at the server's messages"
        )
