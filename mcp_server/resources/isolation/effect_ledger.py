"""Everything a run did, as a list that can be shown, kept and approved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind

# Should not everything fit, then what was refused is what somebody has to see, and what goes cannot be looked at later.
_ORDER: Final = (EffectKind.REFUSED, EffectKind.DELETED, EffectKind.CHANGED, EffectKind.CREATED)


class EffectLedger:
    """The effects of one run, in the order of their paths; never changes.

    Args:
        effects: The effects.
        is_truncated: Whether there is more than the limits allowed to look at.
        max_listed: Most effects that `to_wire` lists; it counts all.

    >>> ledger = EffectLedger([Effect(EffectKind.CREATED, "b", 1), Effect(EffectKind.CREATED, "a", 2)])
    >>> [effect.path for effect in ledger], ledger.counts["created"]
    (['a', 'b'], 2)
    """

    __slots__ = ("_effects", "_max_listed", "counts", "is_truncated")

    def __init__(self, effects: Iterable[Effect] = (), *, is_truncated: bool = False, max_listed: int = 1_000) -> None:
        self._effects: Final = tuple(sorted(effects, key=lambda effect: (effect.path.split("/"), effect.kind)))
        self._max_listed: Final = max_listed
        found = Counter(effect.kind for effect in self._effects)
        self.counts: Final[Mapping[str, int]] = MappingProxyType({str(kind): found[kind] for kind in EffectKind})
        self.is_truncated: Final = is_truncated

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(EffectLedger, is_truncated=self.is_truncated, max_listed=self._max_listed), (self._effects,)

    def __len__(self) -> int:
        return len(self._effects)

    def __iter__(self) -> Iterator[Effect]:
        return iter(self._effects)

    def __getitem__(self, index: int) -> Effect:
        return self._effects[index]

    def of(self, kind: EffectKind) -> tuple[Effect, ...]:
        """Return the effects of one kind."""
        return tuple(effect for effect in self._effects if effect.kind is kind)

    def with_effects(self, effects: Iterable[Effect]) -> EffectLedger:
        """Return a ledger of other effects of the same run."""
        return EffectLedger(effects, is_truncated=self.is_truncated, max_listed=self._max_listed)

    @property
    def summary(self) -> str:
        """How many of which kind, in words; kinds of which there are none are left out.

        >>> EffectLedger([Effect(EffectKind.CREATED, "a"), Effect(EffectKind.CREATED, "b")]).summary
        '2 created'
        """
        return ", ".join(f"{count} {kind}" for kind, count in self.counts.items() if count)

    def to_wire(self) -> dict[str, Any]:
        """Return counts and the first effects, refused ones before all others, fit for JSON.

        `truncated` tells that not all effects are listed, or that not everything was looked at.
        """
        listed = sorted(self._effects, key=lambda effect: _ORDER.index(effect.kind))[: self._max_listed]
        return {
            **self.counts,
            "effects": [effect.to_wire() for effect in listed],
            "truncated": self.is_truncated or len(listed) < len(self._effects),
        }
