"""How tools differ from what was locked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DefinitionDrift:
    """The names of tools that are not what was locked, each list sorted.

    Args:
        changed: Those with another name for the same thing, another description, schema or permission.
        added: Those that nobody has locked.
        missing: Those that were locked and are not there.

    >>> DefinitionDrift(changed=("read",), added=("send",)).summary
    "changed: 'read'; new: 'send'"
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.missing)

    @property
    def summary(self) -> str:
        """The differences in words."""
        kinds = (("changed", self.changed), ("new", self.added), ("gone", self.missing))
        return "; ".join(f"{kind}: {', '.join(map(repr, names))}" for kind, names in kinds if names)
