"""The table of record kinds: everything that can be told by the log."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mcp_server.security.audit.call_role import CallRole

# 32 is the length of MSGID in RFC 5424, where a kind will travel.
_FORM: Final = re.compile(r"[a-z]+\.[a-z][a-z_]*")
_MAX_KIND_LENGTH: Final = 32

_CRITICAL: Final = ("log.halt", "sandbox.violation")
_WARNINGS: Final = (
    *("auth.fail", "broker.end", "clock.jump", "consent.denied", "consent.expired", "log.recover", "log.space"),
    *("policy.rejected", "sink.down", "sink.lag", "tool.drift"),
)
_INFORMATIONAL: Final = (
    *("audit.read", "auth.ok", "config.loaded", "conn.close", "consent.granted", "grant.revoked", "grant.used_up"),
    *("key.next", "keyset.changed", "log.close", "log.open", "log.rotate", "policy.loaded", "process.end"),
    *("revoke.cert", "revoke.token", "server.start", "server.stop", "sink.up"),
)


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of record.

    Args:
        name: What stands in `kind`.
        severity: The syslog severity (RFC 5424, table 2): 2 critical, 4 warning, 5 notice, 6 informational.
        role: Whether it opens or closes a call.
        begins_work: Whether it announces something new; such records are refused when the disk is nearly full.

    Source: `docs/reference/audit-records.md`.

    >>> kind_named("call.intent").begins_work
    True
    """

    name: str
    severity: int = 6
    role: CallRole = CallRole.NONE
    begins_work: bool = False


def _table() -> Mapping[str, RecordKind]:
    kinds = [
        RecordKind("call.intent", role=CallRole.INTENT, begins_work=True),
        RecordKind("call.done", role=CallRole.OUTCOME),
        RecordKind("call.denied", 5, role=CallRole.OUTCOME),
        RecordKind("call.unknown", 4, role=CallRole.OUTCOME),
        RecordKind("conn.open", begins_work=True),
        RecordKind("consent.asked", begins_work=True),
        RecordKind("grant.added", 5, begins_work=True),
    ]
    kinds += [RecordKind(name, 4) for name in _WARNINGS]
    kinds += [RecordKind(name, 2) for name in _CRITICAL]
    kinds += [RecordKind(name) for name in _INFORMATIONAL]
    return MappingProxyType({kind.name: kind for kind in kinds})


KINDS: Final = _table()


def kind_named(name: str) -> RecordKind:
    """Return the kind called `name`; every well-formed `admin.*` exists.

    Raises:
        ValueError: There is no such kind. This is a mistake in the code, not in the call.
    """
    kind = KINDS.get(name)
    if kind is not None:
        return kind
    if name.startswith("admin.") and len(name) <= _MAX_KIND_LENGTH and _FORM.fullmatch(name):
        return RecordKind(name, 5)
    raise ValueError(f"{name!r} is not a kind of audit record; add it to the table in record_kind.py")
