"""A decision that an audit log tells of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType

# Kinds of record about calls that ran, and about those that did not.
_RAN: Final = ("call.intent", "call.done", "call.unknown")
_REFUSED: Final = ("call.denied", "sandbox.violation")
_RULE: Final = re.compile(r"(?P<owner>.+)\.(?P<list>allow|ask|grant|deny|folders|extra|shipped)(\[\d+\])?")
# What stands in a record where no rule spoke, but the policy refused all the same.
_SILENT: Final = ("none", "client", "ceiling", "token", "malformed-resource", "evaluation-failed")


@dataclass(frozen=True, slots=True)
class RecordedQuestion:
    """Who needed which right on which resource, and what became of it.

    Args:
        client: Who called.
        type: The kind of right.
        resource: The canonical resource.
        effect: Allowed; allowed after a human agreed, or by a grant with limits (ask); refused by the policy (deny).
        at: When, in seconds since the epoch.

    >>> record = {"kind": "call.done", "client": "ada", "ts": "2030-01-01T00:00:00.000000Z",
    ...           "need": [["FILE_READ", "/srv/a", "ada.allow[0]"], ["FILE_READ", "/srv/b", "undeclared"]]}
    >>> [(each.resource, each.effect.value) for each in RecordedQuestion.read([record])]
    [('/srv/a', 'allow')]
    """

    client: str
    type: PermissionType
    resource: str
    effect: Effect
    at: float

    @classmethod
    def read(cls, records: Iterable[Mapping[str, Any]]) -> Iterator[Self]:
        """Yield what records tell of; what is no decision of a policy is passed over.

        What a call was granted that was refused for something else is passed over too: it was not used.
        """
        for record in records:
            kind, client, needs = record.get("kind"), record.get("client"), record.get("need")
            if kind not in (*_RAN, *_REFUSED) or not isinstance(client, str) or not isinstance(needs, list):
                continue
            at = _time(record.get("ts"))
            for need in needs:
                effect = _effect(need)
                if effect is None or (kind in _REFUSED and effect is not Effect.DENY):
                    continue
                try:
                    yield cls(client, PermissionType(need[0]), need[1], effect, at)
                except ConfigurationError:
                    # Of another version, or altered; whoever wants to know verifies the log.
                    continue


def _effect(need: Any) -> Effect | None:
    if not isinstance(need, list) or len(need) != 3 or not all(isinstance(each, str) for each in need):
        return None
    rule = need[2]
    if rule in _SILENT:
        return Effect.DENY
    found = _RULE.fullmatch(rule)
    if found is None:
        return None
    if found["list"] == "allow":
        return Effect.ALLOW
    return Effect.ASK if found["list"] in ("ask", "grant") else Effect.DENY


def _time(text: Any) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
