"""A record whose constant part is encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic_core import to_json

from mcp_server.security.audit.canonical_json import MAX_SAFE_INTEGER, canonical_json, is_plain
from mcp_server.security.audit.record_layout import RecordLayout

_OF_THE_LOG: Final = {"mono": b"%(mono)d", "seq": b"%(seq)d", "ts": b'"%(ts)b"', "x_prev": b'"%(x_prev)b"'}


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

    __slots__ = ("_pattern", "_variables", "constants", "layout")

    def __init__(self, kind: str, constants: Mapping[str, Any], variables: Iterable[str], *, stream: str) -> None:
        self._variables = tuple((name, name.encode("ascii")) for name in variables)
        self.constants = dict(constants)
        self.layout = RecordLayout(kind, [*constants, *(name for name, _ in self._variables)], stream=stream)
        holes = {name: b"%%(%b)b" % key for name, key in self._variables} | _OF_THE_LOG
        parts: list[bytes] = []
        for name, value in {**self.layout.template, **self.constants}.items():
            hole = holes.get(name)
            # What is constant may hold the formatting character.
            text = canonical_json(value).replace(b"%", b"%%") if hole is None else hole
            parts.append(canonical_json(name).replace(b"%", b"%%") + b":" + text)
        self._pattern = b"{" + b",".join(parts) + b"}"

    def line(self, values: Mapping[str, Any], *, mono: int, seq: int, ts: bytes, leaf: bytes) -> bytes:
        """Return the line.

        Args:
            values: The variable fields.
            mono: The log's clock.
            seq: The record's number.
            ts: The time, as text.
            leaf: The hash of the line before, hexadecimal.

        Raises:
            ValueError: A value has no canonical form.
        """
        filled: dict[bytes, Any] = {b"mono": mono, b"seq": seq, b"ts": ts, b"x_prev": leaf}
        for name, key in self._variables:
            value = values[name]
            if type(value) is int and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                filled[key] = b"%d" % value
            else:
                filled[key] = to_json(value) if is_plain(value) else canonical_json(value)
        return self._pattern % filled
