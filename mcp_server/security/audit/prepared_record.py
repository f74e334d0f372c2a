"""A record whose constant part is encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, Final

from mcp_server.security.audit.canonical_json import canonical_json
from mcp_server.security.audit.record_layout import RecordLayout

_OF_THE_LOG: Final = {"mono": b"%d", "seq": b"%d", "ts": b'"%b"', "x_prev": b'"%b"'}


class PreparedRecord:
    """The line of one kind of record with holes: for records that differ in a few fields and are written at every call.

    Filled in, it gives byte for byte the line that the record's canonical form is.

    Args:
        kind: The record's kind.
        constants: The fields that are always the same.
        variables: The names of the others.
        stream: The name of the log's stream.

    Raises:
        ValueError: As for `RecordLayout`, or a constant has no canonical form.

    >>> record = PreparedRecord("call.done", {"tool": "echo"}, ["call"], stream="main")
    >>> record.line((b'"c1"',), mono=5, seq=2, ts=b"T", leaf=b"0")
    b'{"call":"c1","kind":"call.done","mono":5,"seq":2,"stream":"main","tool":"echo","ts":"T","v":1,"x_prev":"0"}'
    """

    __slots__ = ("_in_order", "_pattern", "constants", "layout", "variables")

    def __init__(self, kind: str, constants: Mapping[str, Any], variables: Iterable[str], *, stream: str) -> None:
        self.variables = tuple(variables)
        self.constants = dict(constants)
        self.layout = RecordLayout(kind, [*constants, *self.variables], stream=stream)
        given = (*self.variables, *_OF_THE_LOG)
        parts: list[bytes] = []
        holes: list[int] = []
        for name, value in {**self.layout.template, **self.constants}.items():
            if name in given:
                holes.append(given.index(name))
                text = _OF_THE_LOG.get(name, b"%b")
            else:
                # What is constant may hold the formatting character.
                text = canonical_json(value).replace(b"%", b"%%")
            parts.append(canonical_json(name).replace(b"%", b"%%") + b":" + text)
        self._pattern = b"{" + b",".join(parts) + b"}"
        self._in_order = itemgetter(*holes)

    def line(self, values: tuple[bytes, ...], mono: int, seq: int, ts: bytes, leaf: bytes) -> bytes:
        """Return the line.

        Args:
            values: The canonical JSON of the variable fields, in the order in which they were named.
            mono: The log's clock.
            seq: The record's number.
            ts: The time, as text.
            leaf: The hash of the line before, hexadecimal.
        """
        line: bytes = self._pattern % self._in_order((*values, mono, seq, ts, leaf))
        return line
