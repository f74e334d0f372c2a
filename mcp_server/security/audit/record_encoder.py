"""From a record to its line."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from pydantic_core import to_json

from mcp_server.security.audit.canonical_json import MAX_SAFE_INTEGER, canonical_json, is_plain

# What the log itself writes, or what only names things; the rest may be cut when a record is too long.
_NEVER_CUT: Final = frozenset({"call", "client", "kind", "mono", "seq", "stream", "tool", "ts", "v", "x_prev"})


class RecordEncoder:
    """Writes records as canonical JSON, none longer than a bound.

    Args:
        max_bytes: The longest line, newline excluded. Longer fields are replaced by their length and digest, the
            longest first.

    >>> RecordEncoder(max_bytes=100).encode({"kind": "log.open", "x_prev": "0"}, {})
    b'{"kind":"log.open","x_prev":"0"}'
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes

    def encode(self, record: dict[str, Any], fields: Mapping[str, Any]) -> bytes:
        """Return the line of a record whose names are already in canonical order.

        Args:
            record: The whole record.
            fields: That part of it which came from outside the log and is therefore looked at.

        Integers beyond 2^53-1, NaN, the infinities and lone surrogates, which have no canonical form, are written as
        text.

        Raises:
            ValueError: It holds something that is not JSON at all, or is too long without anything to cut.
        """
        for value in fields.values():
            if type(value) is not str and not is_plain(value):
                return self._encode_slowly(record)
        try:
            # What is not among the fields was written by the log itself and is plain.
            line = to_json(record)
        except ValueError:
            return self._encode_slowly(record)
        return line if len(line) <= self.max_bytes else self._shorten(record)

    @staticmethod
    def encode_value(value: Any) -> bytes:
        """Return the canonical JSON of one field, as `encode` would write it.

        >>> RecordEncoder.encode_value(7), RecordEncoder.encode_value(2**60)
        (b'7', b'"0x1000000000000000"')
        """
        kind = type(value)
        if kind is int and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            return b"%d" % value
        try:
            return to_json(value) if kind is str or is_plain(value) else canonical_json(value)
        except ValueError:
            return canonical_json(_representable(value))

    @staticmethod
    def encode_texts(rows: Sequence[Sequence[str]]) -> bytes:
        """Return the same for rows of texts, which need not be looked through.

        >>> RecordEncoder.encode_texts([["FILE_READ", "/a"]])
        b'[["FILE_READ","/a"]]'
        """
        try:
            return to_json(rows)
        except ValueError:
            return canonical_json(_representable(rows))

    def _encode_slowly(self, record: dict[str, Any]) -> bytes:
        try:
            line = canonical_json(record)
        except ValueError:
            # A client chose a value that JSON text can say and its canonical form cannot. It is told all the same.
            for name, value in record.items():
                record[name] = _representable(value)
            line = canonical_json(record)
        return line if len(line) <= self.max_bytes else self._shorten(record)

    def _shorten(self, record: dict[str, Any]) -> bytes:
        parts = {name: canonical_json(value) for name, value in record.items() if name not in _NEVER_CUT}
        for name in sorted(parts, key=lambda name: len(parts[name]), reverse=True):
            record[name] = {"digest": sha256(parts[name]).hexdigest(), "len": len(parts[name])}
            line = canonical_json(record)
            if len(line) <= self.max_bytes:
                return line
        raise ValueError(f"the record is longer than {self.max_bytes} bytes, and only its name is left")


def _representable(value: Any) -> Any:
    """Return a JSON value with everything that has no canonical form written as text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Hexadecimal: Python refuses to write thousands of decimal digits, and would take long over it.
        return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, Mapping):
        return {_representable(name): _representable(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_representable(item) for item in value]
    return value
