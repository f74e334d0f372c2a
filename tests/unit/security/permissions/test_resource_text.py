from __future__ import annotations

import pytest

from mcp_server.security.permissions.resource_text import fold, forbidden_character, path_parts


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/", (True, ())),
        (".", (False, ())),
        ("/a/b", (True, ("a", "b"))),
        ("a/.b", (False, ("a", ".b"))),
        ("...", (False, ("...",))),
        ("/a b/é", (True, ("a b", "é"))),
    ],
)
def test_canonical_paths_are_split(path: str, parts: tuple[bool, tuple[str, ...]]) -> None:
    assert path_parts(path) == parts


@pytest.mark.parametrize(
    "path",
    ["", "//", "//a", "/a/", "a//b", "/a/.", "/a/..", "..", "./a", "a/../b", "/a\0b", "/a\nb", "/a\x7f", "/a\x85",
     "/\ud800", "/" + "n" * 256, "/" + "é" * 128, "/" + "/".join(["n" * 200] * 21)],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"is|holds"):
        path_parts(path)


@pytest.mark.parametrize("path", ["/" + "n" * 255, "/" + "é" * 127, "/" + "/".join(["n" * 200] * 20)])
def test_the_longest_names_and_paths_are_accepted(path: str) -> None:
    assert path_parts(path)[0]


@pytest.mark.parametrize("text", ["a\u00a0b", "a\u200bb", "\u3000", "\U0001f600", "a b"])
def test_unusual_but_harmless_characters_are_accepted(text: str) -> None:
    assert forbidden_character(text) is None


@pytest.mark.parametrize(
    ("text", "name"), [("\0", "U+0000"), ("a\x1b", "U+001B"), ("\x9f", "U+009F"), ("\udcff", "U+DCFF")]
)
def test_control_characters_and_surrogates_are_named(text: str, name: str) -> None:
    assert forbidden_character(text) == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (".SSH", ".ssh"),
        ("Café", "cafe\u0301"),
        ("STRASSE", "straße"),
        ("\u212a", "k"),
        (".s\u017fh", ".ssh"),
        (".s\u200csh", ".ssh"),
        (".ss\u00adh", ".ssh"),
        ("\ufeff.ssh", ".ssh"),
        ("\u1e9b\u0323", "\u1e69"),
        ("ΌΣΟΣ", "όσος"),
    ],
)
def test_spellings_of_one_name_fold_together(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("ssh", ".ssh"), ("é", "e"), ("ﬀ", "f"), ("\uff0essh", ".ssh")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)
