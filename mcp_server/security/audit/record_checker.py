"""The rules for single records and for their sequence, which the chain alone does not show."""

from __future__ import annotations

import re
from typing import Any, Final

from pydantic_core import from_json, to_json

from mcp_server.security.audit.call_role import CallRole
from mcp_server.security.audit.canonical_json import canonical_json, is_plain, parse_json
from mcp_server.security.audit.record_kind import kind_named
from mcp_server.security.audit.record_layout import RECORD_VERSION

_STAMP: Final = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z", re.ASCII
)
_TYPES: Final = {"kind": str, "mono": int, "seq": int, "stream": str, "ts": str, "v": int, "x_prev": str}


class RecordChecker:
    """Checks records one after the other, from the first of a log on.

    Each must be strict canonical JSON of the known version with the log's own fields; the numbers must have no gap;
    `mono` may not run backwards within a run; no call is announced twice, and a log that was taken up again has said
    what became of the calls that were open.

    >>> RecordChecker().check(b'{"seq":1}')
    "the field 'kind' is missing"
    """

    def __init__(self) -> None:
        self._next_seq = 0
        self._mono = -1
        self._stream: str | None = None
        self.open_calls: set[str] = set()
        self._left_over: set[str] = set()

    def check(self, line: bytes) -> str | None:
        """Return what is wrong with the next record, None when nothing is."""
        try:
            record = from_json(line, allow_inf_nan=False)
            # Re-encoding also finds members that occur twice: only one of them survives.
            is_canonical = is_plain(record) and to_json(record) == line
            if not is_canonical:
                is_canonical = canonical_json(parse_json(line)) == line
        except ValueError:
            return "the line is not JSON"
        if not is_canonical:
            return "the line is not in canonical form"
        if not isinstance(record, dict):
            return "the line is not an object"
        return self._check_form(record) or self._check_sequence(record) or self._check_calls(record)

    def _check_form(self, record: dict[str, Any]) -> str | None:
        for name, kind in _TYPES.items():
            if name not in record:
                return f"the field {name!r} is missing"
            if type(record[name]) is not kind:
                return f"the field {name!r} is not of type {kind.__name__}"
        if record["v"] != RECORD_VERSION:
            return f"version {record['v']} of the record form is unknown; use a newer verifier"
        if not _STAMP.fullmatch(record["ts"]):
            return "the field 'ts' is not a UTC time in microseconds"
        try:
            kind_named(record["kind"])
        except ValueError:
            return "the kind is unknown"
        return None

    def _check_sequence(self, record: dict[str, Any]) -> str | None:
        seq, mono = record["seq"], record["mono"]
        if seq != self._next_seq:
            return f"record {self._next_seq} was expected here"
        self._next_seq += 1
        if self._stream is None:
            self._stream = record["stream"]
        if record["stream"] != self._stream:
            return "the record belongs to another stream"
        if mono < self._mono and record["kind"] != "log.open":
            return "the field 'mono' runs backwards"
        self._mono = mono
        return None

    def _check_calls(self, record: dict[str, Any]) -> str | None:
        kind = record["kind"]
        role = kind_named(kind).role
        if kind == "log.open":
            self._left_over = set(self.open_calls)
        elif self._left_over and kind not in ("call.unknown", "log.recover"):
            return "the log was taken up again without saying what became of the calls that were open"
        if role is CallRole.NONE:
            return None
        call = record.get("call")
        if not isinstance(call, str):
            return "the field 'call' is missing" if role is CallRole.INTENT else None
        if role is CallRole.INTENT:
            if call in self.open_calls:
                return "the call was announced already and has no outcome yet"
            self.open_calls.add(call)
        else:
            self.open_calls.discard(call)
            self._left_over.discard(call)
        return None
