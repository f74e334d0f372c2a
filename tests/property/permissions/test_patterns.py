"""Patterns against a matcher that is too simple to be wrong, and too slow to be used."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.name_wildcard import name_matches, names_disjoint
from mcp_server.security.permissions.path_pattern import PathPattern, segments_match
from mcp_server.security.permissions.resource_pattern import ResourcePattern
from mcp_server.security.permissions.resource_text import fold, forbidden_character, path_parts
from tests.property.permissions import worlds as world
from tests.support.counted import CountedNames, CountedText

names = st.text("ab.é", min_size=1, max_size=6).filter(lambda name: name not in (".", ".."))
wild_names = st.text("ab*?.", min_size=1, max_size=6).filter(lambda name: name not in (".", "..") and "**" not in name)
patterns = st.builds(
    lambda root, segments: root + "/".join(segments),
    st.sampled_from(["", "/"]),
    st.lists(st.one_of(wild_names, st.just("**")), min_size=1, max_size=5),
)
paths = st.builds(
    lambda root, parts: root + "/".join(parts) if parts else root or ".",
    st.sampled_from(["", "/"]),
    st.lists(names, max_size=5),
)


def name_reference(pattern: str, name: str) -> bool:
    if not pattern:
        return not name
    if pattern[0] == "*":
        return name_reference(pattern[1:], name) or (bool(name) and name_reference(pattern, name[1:]))
    return bool(name) and pattern[0] in ("?", name[0]) and name_reference(pattern[1:], name[1:])


def walk(segments: list[str], parts: list[str]) -> bool:
    if not segments:
        return not parts
    if segments == ["**"]:
        return bool(parts)
    if segments[0] == "**":
        return walk(segments[1:], parts) or (bool(parts) and walk(segments, parts[1:]))
    return bool(parts) and name_reference(segments[0], parts[0]) and walk(segments[1:], parts[1:])


def reference(pattern: str, path: str) -> bool:
    if pattern.startswith("/") != path.startswith("/"):
        return False
    if pattern == "**":
        return True
    parts = [] if path in (".", "/") else path.strip("/").split("/")
    return walk(pattern.removeprefix("/").split("/"), parts)


def opaque_reference(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return opaque_reference(pattern[1:], text) or (bool(text) and opaque_reference(pattern, text[1:]))
    return bool(text) and pattern[0] == text[0] and opaque_reference(pattern[1:], text[1:])


@settings(max_examples=750)
@given(patterns, paths)
def test_paths_match_as_in_the_reference(pattern: str, path: str) -> None:
    assert PathPattern.compile(pattern).matches(path) is reference(pattern, path)


@settings(max_examples=500)
@given(st.text("a*?b", max_size=8), st.text("ab", max_size=8))
def test_names_match_as_in_the_reference(pattern: str, name: str) -> None:
    assert name_matches(pattern, name) is name_reference(pattern, name)


@settings(max_examples=500)
@given(st.text("a*b", min_size=1, max_size=8), st.text("ab", max_size=8))
def test_texts_match_as_in_the_reference(pattern: str, text: str) -> None:
    assert ResourcePattern.compile(pattern).matches(text) is opaque_reference(pattern, text)


@settings(max_examples=500)
@given(patterns, paths, st.sampled_from(["/", "/a", "/a*/b", "/**"]))
def test_a_folder_before_a_pattern_changes_nothing_but_the_place(pattern: str, path: str, folder: str) -> None:
    compiled = PathPattern.compile(pattern)
    if not compiled.is_absolute and not path.startswith("/"):
        inside = folder if path == "." else f"{folder.rstrip('/')}/{path}"
        assert compiled.under(folder).matches(inside) is compiled.matches(path)
        assert not compiled.under("/elsewhere").matches(inside)
    else:
        assert compiled.matches(path) is reference(pattern, path)


hostile = st.one_of(
    st.builds(
        lambda unit, times, end: unit * times + end,
        st.sampled_from(["*a", "a*", "*?", "*aa"]),
        st.integers(1, 60),
        st.sampled_from(["", "b"]),
    ),
    st.text("ab*?", max_size=100),
)


@settings(max_examples=150)
@given(hostile, st.one_of(st.integers(0, 255).map(lambda times: "a" * times), st.text("ab", max_size=255)))
def test_no_name_costs_more_than_the_product_of_both_lengths(pattern: str, name: str) -> None:
    counted = CountedText(name)
    name_matches(pattern, counted)
    assert counted.looks <= (len(pattern) + 1) * (len(name) + 1)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["**", "a", "*", "b"]), max_size=80), st.integers(0, 400))
def test_no_path_costs_more_than_the_product_of_both_lengths(pattern: list[str], depth: int) -> None:
    parts = CountedNames(["a"] * depth)
    segments_match(tuple(pattern), parts)
    assert parts.looks <= (len(pattern) + 1) * (depth + 1)


@settings(max_examples=500)
@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_breaks_a_pattern(pattern: str, path: str) -> None:
    for kind in (PathPattern, ResourcePattern):
        try:
            compiled = kind.compile(pattern)
        except ConfigurationError:
            continue
        assert compiled.matches(path) in (True, False)
        assert compiled.folded().matches(fold(path)) in (True, False)


@settings(max_examples=500)
@given(st.text("/.a*\0\n\ud800é", max_size=12))
def test_a_path_is_read_in_one_way_or_not_at_all(path: str) -> None:
    try:
        is_absolute, parts = path_parts(path)
    except ValueError:
        return
    assert forbidden_character(path) is None
    assert path == ("/" if is_absolute else "") + "/".join(parts) or (path, parts) == (".", ())
    assert not {"", ".", ".."} & set(parts)


@settings(max_examples=200)
@given(st.data())
def test_what_is_surely_so_is_so(data: st.DataObject) -> None:
    path = data.draw(world.paths)
    parts = path_parts(path)[1]
    one = PathPattern.compile(data.draw(world.absolute_patterns))
    other = PathPattern.compile(data.draw(world.relative_patterns)).under(data.draw(st.sampled_from(["/h/n", "/s"])))
    if one.matches(path) and other.matches(path):
        assert not one.is_disjoint(other)
    if one.matches(path):
        for length in range(len(parts) + 1):
            assert one.reaches(parts[:length])


@settings(max_examples=200)
@given(wild_names, wild_names, names)
def test_disjoint_names_share_no_name(one: str, other: str, name: str) -> None:
    if name_matches(one, name) and name_matches(other, name):
        assert not names_disjoint(one, other)


@settings(max_examples=500)
@given(st.text(max_size=12))
def test_folding_forgets_case_and_composition(text: str) -> None:
    import unicodedata

    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)
    assert fold(text.casefold()) == fold(text)
