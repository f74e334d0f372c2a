"""Read a log, for people and for tools."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from pydantic_core import from_json

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.audit.record_filter import RecordFilter
from mcp_server.security.audit.segment_files import MAX_LINE_BYTES, lines_of, list_segments, segment_name

_BLOCK_BYTES: Final = 64 * 1024
_EVERYTHING: Final = RecordFilter()


class AuditReader:
    """Yields the records of a log as dictionaries. It verifies nothing; that is `AuditVerifier`'s part.

    A line that is no JSON object becomes `{"kind": "unreadable", "raw": ...}`, for a damaged log must be readable too.

    Args:
        directory: Where the log lives.

    >>> import tempfile
    >>> AuditReader(Path(tempfile.mkdtemp())).tail(5)
    []
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def records(self, wanted: RecordFilter = _EVERYTHING) -> Iterator[dict[str, Any]]:
        """Yield all records that match, oldest first."""
        for _, path in self._segments():
            for line in lines_of(path):
                record = _parse(line)
                if wanted.matches(record):
                    yield record

    def tail(self, count: int, wanted: RecordFilter = _EVERYTHING) -> list[dict[str, Any]]:
        """Return the last `count` records that match, oldest first; reads no more of the log than it needs."""
        found: deque[dict[str, Any]] = deque()
        for _, path in reversed(self._segments()):
            with path.open("rb") as file:
                for line in _lines_backwards(file):
                    if len(found) >= count:
                        return list(found)
                    record = _parse(line)
                    if wanted.matches(record):
                        found.appendleft(record)
        return list(found)

    def follow(
        self, wait: Callable[[], bool], wanted: RecordFilter = _EVERYTHING, *, after_seq: int | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield matching records as they are written, across segments.

        Args:
            wait: Called when there is nothing new; it waits as long as it likes and returns False to end.
            wanted: Which records.
            after_seq: Begin behind this record; None begins behind the last one there is now.
        """
        segments = self._segments()
        number = segments[-1][0] if segments else 0
        position = segments[-1][1].stat().st_size if segments else 0
        if after_seq is not None:
            number, position = (segments[0][0] if segments else 0), 0
        while True:
            path = self._directory / segment_name(number)
            try:
                # Looked for first: when the next segment exists, nothing more is added to this one.
                is_finished = (self._directory / segment_name(number + 1)).exists()
                with path.open("rb") as file:
                    file.seek(position)
                    data = file.read(MAX_LINE_BYTES)
            except FileNotFoundError:
                is_finished, data = False, b""
            end = data.rfind(b"\n") + 1
            for line in data[:end].split(b"\n")[:-1]:
                record = _parse(line)
                seq = record.get("seq")
                if after_seq is not None and type(seq) is int and seq <= after_seq:
                    continue
                if wanted.matches(record):
                    yield record
            position += end
            if end:
                continue
            if is_finished:
                number, position = number + 1, 0
            elif not wait():
                return

    def _segments(self) -> list[tuple[int, Path]]:
        try:
            return list_segments(self._directory)
        except OSError as error:
            raise ConfigurationError(
                f"the audit log cannot be read ({error.strerror})", source=str(self._directory)
            ) from error


def _parse(line: bytes) -> dict[str, Any]:
    try:
        record = from_json(line)
    except ValueError:
        record = None
    if isinstance(record, dict):
        return record
    return {"kind": "unreadable", "raw": line.decode("utf-8", "backslashreplace")}


def _lines_backwards(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the complete lines of a file, the last one first; what follows the last newline is left out."""
    position = file.seek(0, 2)
    rest = b""
    is_first = True
    while position > 0:
        start = max(0, position - _BLOCK_BYTES)
        file.seek(start)
        lines = (file.read(position - start) + rest).split(b"\n")
        position = start
        rest = lines[0]
        for line in reversed(lines[1:]):
            if is_first:
                is_first = False  # behind the last newline
                continue
            yield line
    if not is_first:
        yield rest
