"""One effect, and how it is shown."""

from __future__ import annotations

import json

from mcp_server.resources.isolation.effect import Effect
from mcp_server.resources.isolation.effect_kind import EffectKind
from mcp_server.resources.isolation.refusal import Refusal


def test_a_refused_effect_says_what_it_would_have_been() -> None:
    effect = Effect(EffectKind.DELETED, "a", 3, sha256="00").refused(Refusal.NOT_PERMITTED)
    assert (effect.kind, effect.attempted, effect.reason) == ("refused", "deleted", "not permitted")
    assert (effect.path, effect.size_bytes, effect.sha256) == ("a", 3, "00")


def test_refusing_twice_keeps_what_it_would_have_been() -> None:
    effect = Effect(EffectKind.CHANGED, "a").refused(Refusal.QUOTA).refused(Refusal.CHANGED)
    assert (effect.attempted, effect.reason) == ("changed", "changed meanwhile")


def test_the_same_name_with_other_content_is_another_effect() -> None:
    assert Effect(EffectKind.CREATED, "a", 1, sha256="00") != Effect(EffectKind.CREATED, "a", 1, sha256="01")


def test_a_name_cannot_forge_a_line_or_break_the_encoding() -> None:
    wire = Effect(EffectKind.CREATED, "a\n\x1b[2Jb\udcff\u202e", 1).to_wire()
    assert wire["path"] == "a\\n\\x1b[2Jb\\xff\\u202e"
    assert json.loads(json.dumps(wire).encode().decode("ascii")) == wire


def test_a_long_path_shows_both_ends() -> None:
    path = "start/" + "x" * 5_000 + "/.bashrc"
    shown = Effect(EffectKind.CREATED, path).to_wire()["path"]
    assert len(shown) < 600
    assert shown.startswith("start/")
    assert shown.endswith("/.bashrc")


def test_a_directory_has_no_size() -> None:
    wire = Effect(EffectKind.CREATED, "a", is_directory=True).to_wire()
    assert wire == {"kind": "created", "path": "a", "is_directory": True}
