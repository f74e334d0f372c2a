"""The kinds of effects."""

from __future__ import annotations

from mcp_server.resources.isolation.effect_kind import EffectKind


def test_the_words_are_those_of_the_wire() -> None:
    assert [str(kind) for kind in EffectKind] == ["created", "changed", "deleted", "refused"]
