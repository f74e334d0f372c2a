"""From a record to its line."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from pydantic_core import to_json

from mcp_server.security.audit.canonical_json import canonical_json, is_plain

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
        self._max_bytes = max_bytes

    def encode(self, record: dict[str, Any], fields: Mapping[str, Any]) -> bytes:
        """Return the line of a record whose names are already in canonical order.

        Args:
            record: The whole record.
            fields: That part of it which came from outside the log and is therefore looked at.

        Raises:
            ValueError: It holds something that has no canonical form, or is too long without anything to cut.
        """
        for value in fields.values():
            if type(value) is not str and not is_plain(value):
                line = canonical_json(record)
                break
        else:
            # What is not among the fields was written by the log itself and is plain.
            line = to_json(record)
        return line if len(line) <= self._max_bytes else self._shorten(record)

    def _shorten(self, record: dict[str, Any]) -> bytes:
        parts = {name: canonical_json(value) for name, value in record.items() if name not in _NEVER_CUT}
        for name in sorted(parts, key=lambda name: len(parts[name]), reverse=True):
            record[name] = {"digest": sha256(parts[name]).hexdigest(), "len": len(parts[name])}
            line = canonical_json(record)
            if len(line) <= self._max_bytes:
                return line
        raise ValueError(f"the record is longer than {self._max_bytes} bytes, and only its name is left")
