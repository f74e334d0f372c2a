"""Which members a revision knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any


def only(value: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return a copy of an object without the members that are not known.

    >>> only({"name": "a", "icons": []}, frozenset({"name"}))
    {'name': 'a'}
    """
    if known.issuperset(value):
        return dict(value)
    return {name: member for name, member in value.items() if name in known}


@dataclass(frozen=True, slots=True)
class WireFields:
    """The members each kind of object has in one revision.

    The schemas of the handshake era let unknown members pass, so leaving newer ones in would be legal; they are taken
    out all the same, because strict clients exist and because nobody should pay for what the other side cannot read.

    Source: `schema.json` of the revisions.

    >>> WireFields(tool=frozenset({"name"})).extended(tool=["title"]).tool == {"name", "title"}
    True
    """

    implementation: frozenset[str] = frozenset()
    server_capabilities: frozenset[str] = frozenset()
    tool: frozenset[str] = frozenset()
    prompt: frozenset[str] = frozenset()
    prompt_argument: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    resource_template: frozenset[str] = frozenset()
    resource_contents: frozenset[str] = frozenset()
    resource_link: frozenset[str] = frozenset()
    block: frozenset[str] = frozenset()
    """What content blocks have beside their own members."""
    annotations: frozenset[str] = frozenset()
    progress: frozenset[str] = frozenset()
    sampling: frozenset[str] = frozenset()

    def extended(self, **more: Iterable[str]) -> WireFields:
        """Return a copy in which the named kinds have further members."""
        return replace(self, **{kind: getattr(self, kind) | frozenset(names) for kind, names in more.items()})
