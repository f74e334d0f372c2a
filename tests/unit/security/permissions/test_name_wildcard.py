from __future__ import annotations

import pytest

from mcp_server.security.permissions.name_wildcard import name_matches, names_disjoint


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("*", "a"), ("*", ".hidden"), ("?", "é"), ("a*c", "abc"), ("a*c", "ac"), ("*.md", ".md"), ("a*b*c", "axbxbc"),
     ("*?", "a"), ("**", "a"), ("a?c", "abc"), ("*a*b", "aab"), ("[a]", "[a]"), ("*\u0301", "e\u0301")],
)  # fmt: skip
def test_matches(pattern: str, name: str) -> None:
    assert name_matches(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("?", ""), ("?", "ab"), ("a*c", "abd"), ("*.md", "a.MD"), ("*.md", "a.md\n"), ("a", "ab"), ("ab", "a"),
     ("*ab", "aba"), ("[a]", "a"), ("*?*?", "a")],
)  # fmt: skip
def test_does_not_match(pattern: str, name: str) -> None:
    assert not name_matches(pattern, name)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("a", "a", False), ("a", "b", True), ("a*", "abc", False), ("*.md", "a.txt", True), ("a*", "b*", True),
     ("*.md", "*.txt", True), ("a*", "*b", False), ("a*b", "a?c", True), ("*", "?", False)],
)  # fmt: skip
def test_disjoint_names(one: str, other: str, apart: bool) -> None:
    assert names_disjoint(one, other) is apart
    assert names_disjoint(other, one) is apart
