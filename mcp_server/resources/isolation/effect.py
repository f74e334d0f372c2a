"""What a run did, or tried to do, to one name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from mcp_server.resources.filesystem.names import escaped
from mcp_server.resources.isolation.effect_kind import EffectKind

# Of a longer path both ends are shown, so that no padding hides where it leads.
_MAX_SHOWN_CHARACTERS: Final = 512


@dataclass(frozen=True, slots=True)
class Effect:
    """One line of the ledger; two effects are equal only when they bring the same content to the same place.

    Args:
        kind: What became of it.
        path: Where, relative to the client's folder, with `/`; may hold surrogates where the bytes are no text.
        size_bytes: The size of the file, of a deleted one before it went; 0 for a directory.
        reason: Why it was refused, None otherwise.
        attempted: What a refused one would have been, None otherwise.
        sha256: The hash of the file's content, hexadecimal, of a deleted one before it went; None where there is no
            content or nobody looked at it.
        is_directory: Whether it is a directory.

    >>> Effect(EffectKind.CREATED, "out/a.txt", 3).refused("not permitted").to_wire()
    {'kind': 'refused', 'path': 'out/a.txt', 'size_bytes': 3, 'attempted': 'created', 'reason': 'not permitted'}
    """

    kind: EffectKind
    path: str
    size_bytes: int = 0
    reason: str | None = None
    attempted: EffectKind | None = None
    sha256: str | None = None
    is_directory: bool = False

    def refused(self, reason: str) -> Effect:
        """Return the same effect as one that was refused."""
        attempted = self.attempted if self.kind is EffectKind.REFUSED else self.kind
        return replace(self, kind=EffectKind.REFUSED, reason=str(reason), attempted=attempted)

    def to_wire(self) -> dict[str, Any]:
        """Return what a client is shown; the path is escaped, for its name was chosen by whoever ran."""
        wire: dict[str, Any] = {"kind": str(self.kind), "path": _shown(self.path)}
        if self.is_directory:
            wire["is_directory"] = True
        else:
            wire["size_bytes"] = self.size_bytes
        if self.kind is EffectKind.REFUSED:
            if self.attempted is not None:
                wire["attempted"] = str(self.attempted)
            wire["reason"] = self.reason
        return wire


def _shown(path: str) -> str:
    if len(path) > _MAX_SHOWN_CHARACTERS:
        half = _MAX_SHOWN_CHARACTERS // 2
        path = f"{path[:half]}…{path[-half:]}"
    return escaped(path)
