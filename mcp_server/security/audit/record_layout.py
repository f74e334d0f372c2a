"""Where the fields of a record stand in its line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from mcp_server.security.audit.call_role import CallRole
from mcp_server.security.audit.canonical_json import utf16_order
from mcp_server.security.audit.record_kind import RecordKind, kind_named

# The version of the record's form.
RECORD_VERSION: Final = 1
_WRITTEN_BY_THE_LOG: Final = frozenset({"kind", "mono", "seq", "stream", "ts", "v", "x_prev"})
_LAST: Final = "x_prev"


class RecordLayout:
    """The fields of one kind of record, already in canonical order.

    Callers send the same few sets of fields again and again, so they are sorted once: a record is a copy of the
    template, filled in, and keeps its order.

    Args:
        kind: The record's kind.
        names: The caller's field names.
        stream: The name of the log's stream.

    Raises:
        ValueError: The kind does not exist, or a name is the log's own or would sort behind `x_prev`.

    >>> list(RecordLayout("call.done", ["tool", "call"], stream="main").template)
    ['call', 'kind', 'mono', 'seq', 'stream', 'tool', 'ts', 'v', 'x_prev']
    """

    __slots__ = ("begins_work", "closes_call", "kind", "opens_call", "template")

    def __init__(self, kind: str, names: Iterable[str], *, stream: str) -> None:
        self.kind: RecordKind = kind_named(kind)
        # Asked for at every record, and looking a member of an enumeration up is not free.
        self.begins_work = self.kind.begins_work
        self.opens_call = self.kind.role is CallRole.INTENT
        self.closes_call = self.kind.role is CallRole.OUTCOME
        template: dict[str, Any] = dict.fromkeys(names)
        for name in template:
            if name in _WRITTEN_BY_THE_LOG:
                raise ValueError(f"the log itself writes the field {name!r}")
            if not name.isascii() or name >= _LAST:
                raise ValueError(f"a field named {name!r} cannot stand before {_LAST!r}, which must be last")
        if self.opens_call and "call" not in template:
            raise ValueError("an intent must name its call, or its outcome cannot be found")
        template.update(kind=kind, mono=0, seq=0, stream=stream, ts="", v=RECORD_VERSION, x_prev="")
        self.template: dict[str, Any] = {name: template[name] for name in sorted(template, key=utf16_order)}
