from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.resources.filesystem.glob_pattern import GlobPattern, name_matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "d/a.txt", False),
        ("**/*.txt", "a.txt", True),
        ("**/*.txt", "d/e/a.txt", True),
        ("**", "d/e", True),
        ("d/**", "d", True),
        ("d/**", "de", False),
        ("d/**/e", "d/e", True),
        ("d/**/e", "d/x/y/e", True),
        ("d/**/e", "d/x/y/f", False),
        ("**/d/**", "a/d/b", True),
        ("./a", "a", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("[^a-c]x", "dx", True),
        ("[]]x", "]x", True),
        ("[", "[", True),
        ("{a,b}.txt", "b.txt", True),
        ("{a,{b,c}}", "c", True),
        ("{a}", "{a}", True),
        ("*.TXT", "a.txt", False),
        (".*", ".hidden", True),
        ("*", ".hidden", True),
        ("", "", None),
    ],
)
def test_patterns(pattern: str, path: str, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(InvalidArgumentsError):
            GlobPattern.compile(pattern)
        return
    assert GlobPattern.compile(pattern).matches(path.split("/")) is expected


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab*?", max_size=12), st.text(alphabet="ab", max_size=12))
def test_a_name_is_matched_as_fnmatch_does(pattern: str, name: str) -> None:
    assert name_matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)


def model(pattern: list[str], path: list[str]) -> bool:
    """Return what the words of the documentation say, without care for time."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(model(pattern[1:], path[start:]) for start in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], pattern[0]) and model(pattern[1:], path[1:])


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.sampled_from(["**", "*", "a", "b", "a*"]), min_size=1, max_size=6),
    st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=6),
)
def test_a_path_is_matched_as_the_model_does(pattern: list[str], path: list[str]) -> None:
    assert GlobPattern.compile("/".join(pattern)).matches(path) == model(pattern, path)
