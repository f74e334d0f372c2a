"""The list of effects."""

from __future__ import annotations

import json

import pytest

from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.effect_ledger import EffectLedger
from mcp_server.resources.isolation.refusal import Refusal


def test_effects_stand_in_the_order_of_their_paths_directories_first() -> None:
    ledger = EffectLedger(Effect(EffectKind.CREATED, path) for path in ("a.b", "a/b", "a", "b"))
    assert [effect.path for effect in ledger] == ["a", "a/b", "a.b", "b"]
    assert (len(ledger), ledger[1].path) == (4, "a/b")


def test_all_are_counted_and_few_are_listed() -> None:
    ledger = EffectLedger((Effect(EffectKind.CREATED, f"{number:04}") for number in range(50)), max_listed=3)
    wire = ledger.to_wire()
    assert wire["created"] == 50
    assert len(wire["effects"]) == 3
    assert wire["truncated"] is True
    assert len(ledger) == 50


def test_what_was_refused_is_listed_before_all_others() -> None:
    many = [Effect(EffectKind.CREATED, f"{number:04}") for number in range(50)]
    refused = Effect(EffectKind.CREATED, "zzz").refused(Refusal.PROTECTED)
    wire = EffectLedger([*many, refused], max_listed=2).to_wire()
    assert [effect["path"] for effect in wire["effects"]] == ["zzz", "0000"]


def test_kinds_that_did_not_occur_are_zero() -> None:
    wire = EffectLedger().to_wire()
    assert wire == {"created": 0, "changed": 0, "deleted": 0, "refused": 0, "effects": [], "truncated": False}
    assert json.dumps(wire)


def test_a_tree_that_was_not_seen_whole_is_truncated() -> None:
    ledger = EffectLedger(is_truncated=True)
    assert ledger.to_wire()["truncated"] is True
    assert ledger.with_effects([Effect(EffectKind.CREATED, "a")]).is_truncated


def test_a_ledger_does_not_change() -> None:
    ledger = EffectLedger([Effect(EffectKind.CREATED, "a")])
    with pytest.raises(TypeError):
        ledger.counts["created"] = 0  # type: ignore[index]  # that is what is tested
    assert ledger.of(EffectKind.CREATED) == (ledger[0],)
    assert ledger.of(EffectKind.DELETED) == ()
