"""A record whose constant part is encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic_core import to_json

from mcp_server.security.audit.canonical_json import MAX_SAFE_INTEGER, canonical_json, is_plain
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
    >>> record.line({"call": "c1"}, mono=5, seq=2, ts=b"T", leaf=b"0")
    b'{"call":"c1","kind":"call.done","mono":5,"seq":2,"stream":"main","tool":"echo","ts":"T","v":1,"x_prev":"0"}'
    """

    __slots__ = ("_blank", "_mono", "_pattern", "_seq", "_ts", "_variables", "constants", "layout")

    def __init__(self, kind: str, constants: Mapping[str, Any], variables: Iterable[str], *, stream: str) -> None:
        given = tuple(variables)
        self.constants = dict(constants)
        self.layout = RecordLayout(kind, [*constants, *given], stream=stream)
        parts: list[bytes] = []
        holes: list[str] = []
        for name, value in {**self.layout.template, **self.constants}.items():
            if name in given or name in _OF_THE_LOG:
                holes.append(name)
                text = _OF_THE_LOG.get(name, b"%b")
            else:
                # What is constant may hold the formatting character.
                text = canonical_json(value).replace(b"%", b"%%")
            parts.append(canonical_json(name).replace(b"%", b"%%") + b":" + text)
        self._pattern = b"{" + b",".join(parts) + b"}"
        # Where each value stands among all that fill the holes; `x_prev` is the last.
        self._variables = tuple((at, name) for at, name in enumerate(holes) if name in given)
        self._mono, self._seq, self._ts = (holes.index(name) for name in ("mono", "seq", "ts"))
        self._blank = [b""] * len(holes)

    def line(self, values: Mapping[str, Any], *, mono: int, seq: int, ts: bytes, leaf: bytes) -> bytes:
        """Return the line.

        Args:
            values: The variable fields; bytes are canonical JSON already.
            mono: The log's clock.
            seq: The record's number.
            ts: The time, as text.
            leaf: The hash of the line before, hexadecimal.

        Raises:
            ValueError: A value has no canonical form.
        """
        filled: list[Any] = self._blank.copy()
        for at, name in self._variables:
            value = values[name]
            kind = type(value)
            if kind is bytes:
                filled[at] = value
            elif kind is int and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                filled[at] = b"%d" % value
            elif kind is str:
                filled[at] = to_json(value)
            elif kind is list and not value:
                filled[at] = b"[]"
            else:
                filled[at] = to_json(value) if is_plain(value) else canonical_json(value)
        filled[self._mono] = mono
        filled[self._seq] = seq
        filled[self._ts] = ts
        filled[-1] = leaf
        return self._pattern % tuple(filled)
