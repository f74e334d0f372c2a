"""Step five of the chain: evidence, written before anything it tells of goes on."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from mcp_server.errors.audit_unavailable_error import AuditUnavailableError
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.argument_digester import ArgumentDigester
from mcp_server.security.audit.background_sync import BackgroundSync
from mcp_server.security.audit.disk_level import DiskLevel
from mcp_server.security.audit.disk_space import DiskSpace
from mcp_server.security.audit.durability import Durability
from mcp_server.security.audit.file_writer import FileWriter
from mcp_server.security.audit.lock_file import LockFile
from mcp_server.security.audit.log_directory import LogDirectory
from mcp_server.security.audit.log_recovery import LogRecovery
from mcp_server.security.audit.log_state import LogState
from mcp_server.security.audit.log_tail import LogTail
from mcp_server.security.audit.prepared_record import PreparedRecord
from mcp_server.security.audit.record_encoder import RecordEncoder
from mcp_server.security.audit.record_writer import RecordWriter

logger = logging.getLogger(__name__)

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES
NANOSECONDS_PER_DAY: Final = 86_400 * 1_000_000_000

ENDED_DURING_CALL: Final = "the server ended during the call"


# Nanoseconds since the machine started, sleep included where the system can count it, so that clock steps stand out.
boot_time_ns: Final[Callable[[], int]] = (
    partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic_ns
)


class AuditLogger:
    """An append-only, tamper-evident log: one canonical JSON line a record, each naming the hash of the one before.

    It does not decide what is worth telling; the security chain does. It promises that `append` returns only when the
    kernel has the whole line, that a line once written cannot change unseen (`AuditVerifier`), and that nothing is
    written any more once a write or a sync has failed: then every `append` raises, and so every call is refused.

    Thread-safe. `append` does not block longer than one `write`, except when a segment is full.

    Args:
        directory: Where the log lives; created, mode 0700.
        durability: What `durable` waits for.
        wall_clock: Nanoseconds since 1970, for `ts`.
        monotonic: Nanoseconds since the machine started, for `mono`.
        max_record_bytes: The longest line; longer fields are replaced by length and digest.
        segment_bytes: When a segment is full. A new one is also begun every day (UTC).
        stream: The name of this log among several.
        writer: The system calls, for fault injection.
        disk_space: Asked how full the disk is, with a descriptor of the directory.
        random_bytes: Source of the key of the argument digests and of the instance's name.

    Source: `docs/reference/audit-records.md`, `docs/explanation/what-the-audit-promises.md`.

    >>> import tempfile
    >>> log = AuditLogger(directory=Path(tempfile.mkdtemp()) / "audit")
    >>> log.open()
    >>> log.append("call.intent", {"call": "c1", "tool": "read_file"})
    1
    >>> log.append("call.done", {"call": "c1"})
    2
    >>> log.close()
    """

    def __init__(
        self,
        *,
        directory: Path,
        durability: Durability = Durability.PROCESS,
        wall_clock: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] = boot_time_ns,
        max_record_bytes: int = 16 * KIBIBYTES,
        segment_bytes: int = 64 * MEBIBYTES,
        stream: str = "main",
        writer: FileWriter | None = None,
        disk_space: Callable[[int], DiskSpace] = DiskSpace.of,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._path = directory
        self._durability = durability
        self.waits_for_disk: bool = durability is Durability.DISK
        self._wall_clock = wall_clock
        self._monotonic = monotonic
        self._encoder = RecordEncoder(max_bytes=max_record_bytes)
        self._segment_bytes = segment_bytes
        self._stream = stream
        self._calls = writer if writer is not None else FileWriter()
        self._disk_space = disk_space
        self._random_bytes = random_bytes
        self._lock = threading.Lock()
        self._listeners: tuple[Callable[[Mapping[str, Any]], None], ...] = ()
        self._untold: deque[Mapping[str, Any]] = deque()
        self._writer: RecordWriter | None = None
        # After a failure the kernel may hold pages that the disk does not: that segment is left alone.
        self._begins_segment = False
        self._releases = ExitStack()

    @property
    def state(self) -> LogState:
        """Whether the log is closed, open or failed."""
        if self._writer is None:
            return LogState.CLOSED
        return LogState.FAILED if self._writer.has_failed else LogState.OPEN

    @property
    def is_available(self) -> bool:
        """Whether a call begun now could be recorded to its end; when not, it must be refused."""
        writer = self._writer
        if writer is None or writer.has_failed or not writer.is_original:
            return False
        if writer.disk_level is DiskLevel.REFUSE:
            # The operator may have made room in the meantime.
            with self._lock, suppress(AuditUnavailableError):
                writer.check_disk()
        return self.state is LogState.OPEN and writer.disk_level is not DiskLevel.REFUSE

    def open(self) -> None:
        """Take the log up where it ended; the first records tell of the start and of what the last run left behind.

        Raises:
            ConfigurationError: Another process writes this log, its directory cannot be used, or it was altered or
                cut since it was written.
            AuditUnavailableError: The first records could not be written.
        """
        if self._writer is not None:
            raise ConfigurationError("this audit log is open already")
        with ExitStack() as releases:
            directory = LogDirectory(self._path, writer=self._calls)
            releases.callback(directory.close)
            try:
                releases.callback(LockFile(directory.fd, shown_as=str(self._path)).release)
                self._take_up(directory, releases)
            except OSError as error:
                raise ConfigurationError(
                    f"the audit log cannot be opened ({error.strerror}); nothing is served without it",
                    source=str(self._path),
                ) from error
            self._releases = releases.pop_all()

    def _take_up(self, directory: LogDirectory, releases: ExitStack) -> None:
        self._digester = ArgumentDigester(directory.load_key(self._random_bytes))
        tail = LogRecovery(directory, writer=self._calls).run()
        directory.make_reserve()
        writer = RecordWriter(
            directory=directory,
            tail=tail,
            begins_segment=self._begins_segment or self._is_finished(tail),
            lock=self._lock,
            wall_clock=self._wall_clock,
            monotonic=self._monotonic,
            encoder=self._encoder,
            segment_bytes=self._segment_bytes,
            stream=self._stream,
            writer=self._calls,
            disk_space=self._disk_space,
        )
        releases.callback(writer.close)
        self._sync = BackgroundSync(sync=writer.sync, idle_work=writer.write_head, on_failure=self._sync_failed)
        releases.callback(self._sync.stop)
        if self._listeners:
            writer.on_record = self._untold.append
        with self._lock:
            writer.write("log.open", self._about_this_run())
            if not tail.was_closed or tail.torn is not None or tail.acknowledged is not None:
                found = {"acknowledged": tail.acknowledged, "open": len(tail.open_calls), "torn": tail.torn}
                writer.write("log.recover", found)
            for call in tail.open_calls:
                writer.write("call.unknown", {"reason": ENDED_DURING_CALL, **call})
        if tail.acknowledged is not None:
            writer.sync()
            directory.remove_acknowledgement()
        self._begins_segment = False
        self._writer = writer
        self._sync.notify()
        self._tell()

    def _is_finished(self, tail: LogTail) -> bool:
        """Whether nothing more is to be added to the last segment."""
        today = self._wall_clock() // NANOSECONDS_PER_DAY
        is_full = tail.size >= self._segment_bytes or (tail.day is not None and tail.day != today)
        return tail.segment is None or tail.acknowledged is not None or is_full

    def _about_this_run(self) -> dict[str, Any]:
        try:
            boot = sha256(Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()).hexdigest()[:16]
        except OSError:
            boot = None
        instance = self._random_bytes(8).hex()
        return {"boot": boot, "durability": self._durability.value, "instance": instance, "pid": os.getpid()}

    def append(self, kind: str, fields: Mapping[str, Any]) -> int:
        """Write one record; when this returns, the record survives the death of the process.

        Args:
            kind: One of the kinds of `record_kind.py`.
            fields: The rest, under the names of `docs/reference/audit-records.md`; JSON values.

        Returns:
            The record's number.

        Raises:
            AuditUnavailableError: It was not written; what it announces must not happen, what it tells of must not be
                answered.
            ValueError: The kind or a field cannot be recorded; a mistake in the code.
        """
        with self._lock:
            seq = self._opened.write(kind, fields)
        self._written()
        return seq

    def prepare(self, kind: str, constants: Mapping[str, Any], variables: Iterable[str]) -> PreparedRecord:
        """Return a record with its constant part encoded, for `append_prepared`.

        Args:
            kind: One of the kinds of `record_kind.py`.
            constants: The fields that are always the same.
            variables: The names of the others.
        """
        return PreparedRecord(kind, constants, variables, stream=self._stream)

    def append_prepared(self, prepared: PreparedRecord, values: tuple[bytes, ...], call: str) -> int:
        """Write one prepared record with its variable fields, as `append` would; return its number.

        Args:
            prepared: The record.
            values: What `encode` gives of the variable fields, in the order in which they were named.
            call: The id of the call that it tells of.

        Raises:
            AuditUnavailableError: It was not written.
        """
        with self._lock:
            seq = (self._writer or self._opened).write_prepared(prepared, values, call)
        if self._sync.is_asleep or self._untold:
            self._written()
        return seq

    @property
    def _opened(self) -> RecordWriter:
        if self._writer is None:
            raise AuditUnavailableError("the audit log is closed, so nothing is done")
        return self._writer

    def _written(self) -> None:
        if self._sync.is_asleep:
            self._sync.notify()
        if self._untold:
            self._tell()

    async def durable(self, seq: int) -> None:
        """Return when record `seq` is as durable as this log promises: at once, or when the disk has it.

        Raises:
            AuditUnavailableError: The disk refused; nothing after the last sync can be relied on.
        """
        if self.waits_for_disk:
            await self._sync.wait_for(seq)

    def subscribe(self, listener: Callable[[Mapping[str, Any]], None]) -> None:
        """Call `listener` with every record once it is written, on the writer's thread; its errors are only logged."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
            if self._writer is not None:
                self._writer.on_record = self._untold.append

    encode = staticmethod(RecordEncoder.encode_value)
    """Return the canonical JSON of a field's value, for a prepared record."""

    encode_texts = staticmethod(RecordEncoder.encode_texts)
    """Return the same for rows of texts, such as decisions."""

    def digest_arguments_json(self, arguments: Mapping[str, Any], plain: Collection[str] = ()) -> bytes:
        """Return the same as canonical JSON, for a prepared record."""
        return self._digester.digest_json(arguments, plain)

    def digest_arguments(self, arguments: Mapping[str, Any], plain: Collection[str] = ()) -> dict[str, Any]:
        """Return the form of a call's arguments that may be logged; see `ArgumentDigester.digest`."""
        return self._digester.digest(arguments, plain)

    def close(self) -> None:
        """Write `log.close`, bring everything to the disk, and let the next writer in; harmless when closed already.

        Raises:
            AuditUnavailableError: The end could not be recorded. Everything is released all the same.
        """
        writer = self._writer
        if writer is None:
            return
        if not writer.is_original:
            self._writer = None  # a forked child: log, lock and thread are its parent's
            return
        self._sync.stop()
        try:
            if not writer.has_failed:
                with self._lock:
                    for call in list(writer.open_calls):
                        writer.write("call.unknown", {"call": call, "reason": ENDED_DURING_CALL})
                    writer.write("log.close", {})
                self._sync.finish(writer.sync())
                writer.write_head()
        except OSError as error:
            self._sync_failed(error)
            raise AuditUnavailableError("the end of the audit log could not be brought to the disk") from error
        finally:
            self._begins_segment = writer.has_failed
            self._writer = None
            self._sync.finish(-1)
            self._releases.close()
            self._tell()

    def _sync_failed(self, error: OSError) -> None:
        with self._lock:
            if self._writer is not None:
                self._writer.fail(f"sync: {error.strerror}")

    def _tell(self) -> None:
        while self._untold:
            try:
                record = self._untold.popleft()
            except IndexError:  # another thread was faster
                return
            for listener in self._listeners:
                try:
                    listener(record)
                except Exception:
                    logger.exception("a listener of the audit log failed")
