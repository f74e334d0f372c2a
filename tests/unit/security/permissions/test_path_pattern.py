from __future__ import annotations

import re

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.path_pattern import PathPattern

MATCHES = [
    ("**", "."),
    ("**", "a"),
    ("**", "a/b/.c"),
    ("*", "a"),
    ("*", ".env"),
    ("*.txt", "a.txt"),
    ("?.txt", "a.txt"),
    ("**/*.md", "a.md"),
    ("**/*.md", "x/y/a.md"),
    ("private/**", "private/a"),
    ("private/**", "private/a/b"),
    ("a/**/z", "a/z"),
    ("a/**/z", "a/b/c/z"),
    ("**/a/**/b/**", "x/a/y/b/z"),
    ("**/**", "a"),
    ("/data/**", "/data/x"),
    ("/data/*", "/data/x"),
    ("/**", "/a"),
    ("/", "/"),
    ("/data", "/data"),
    ("a b/c", "a b/c"),
    ("é/*", "é/x"),
    ("a!", "a!"),
]
MISSES = [
    ("*", "."),
    ("*", "a/b"),
    ("*.txt", "sub/a.txt"),
    ("*.txt", "a.TXT"),
    ("**/*.md", "."),
    ("**/**", "."),
    ("private/**", "private"),
    ("private/**", "privateer/a"),
    ("private/**", "x/private/a"),
    ("a/**/z", "a/b"),
    ("/data/**", "/data"),
    ("/data/**", "/data/"),
    ("/data/**", "/data/../etc/passwd"),
    ("/data/**", "/data/./x"),
    ("/data/**", "/data//x"),
    ("/data/**", "/database/x"),
    ("/data/**", "/data/x\n"),
    ("/data/**", "/data/x\0"),
    ("/data/**", "data/x"),
    ("**", "/a"),
    ("**", "../a"),
    ("**", "a/.."),
    ("**", ""),
    ("**", "a\ud800"),
    ("/**", "/"),
    ("/", "/a"),
    ("?", "ab"),
]


@pytest.mark.parametrize(("pattern", "path"), MATCHES)
def test_matches(pattern: str, path: str) -> None:
    assert PathPattern.compile(pattern).matches(path)


@pytest.mark.parametrize(("pattern", "path"), MISSES)
def test_does_not_match(pattern: str, path: str) -> None:
    assert not PathPattern.compile(pattern).matches(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("a\0b", "U+0000"),
        ("a\nb", "U+000A"),
        ("a\ud800", "U+D800"),
        ("a//b", "empty segment"),
        ("//a", "empty segment"),
        ("a/", "empty segment"),
        ("./a", "'.'"),
        ("a/../b", "'..'"),
        ("..", "'..'"),
        ("[a-z].md", "classes"),
        ("a]", "classes"),
        ("{a,b}", "braces"),
        ("a\\*", "escapes"),
        ("!a", "deny rule"),
        ("~/a", "home"),
        ("~ada/a", "home"),
        ("a~", "'~'"),
        ("a**/b", "whole segment"),
        ("***", "whole segment"),
        ("n" * 256, "longer than 255"),
        ("n/" * 2100 + "n", "longer than 4096"),
        ("{client}/a", "braces"),
        ("{home}/a", "braces"),
    ],
)
def test_what_patterns_do_not_have_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(says)):
        PathPattern.compile(text)


@pytest.mark.parametrize("text", ["~/a/**", "{home}/a/**"])
def test_home_is_taken_literally(text: str) -> None:
    pattern = PathPattern.compile(text, home="/home/a*b")
    assert pattern.is_absolute
    assert pattern.matches("/home/a*b/a/x")
    assert not pattern.matches("/home/axb/a/x")


@pytest.mark.parametrize("text", ["~", "~/", "a/~/b", "{home}", "x{home}/a"])
def test_home_stands_only_at_the_start_and_before_something(text: str) -> None:
    with pytest.raises(ConfigurationError):
        PathPattern.compile(text, home="/home/ada")


def test_everything_in_the_home_is_not_the_home_itself() -> None:
    pattern = PathPattern.compile("~/**", home="/home/ada")
    assert pattern.matches("/home/ada/x")
    assert not pattern.matches("/home/ada")


def test_client_is_put_in_at_load() -> None:
    assert PathPattern.compile("agents/{client}/*", client="claude").matches("agents/claude/x")


def test_a_folder_is_taken_literally() -> None:
    pattern = PathPattern.compile("*.md").under("/srv/a*b")
    assert pattern.matches("/srv/a*b/x.md")
    assert not pattern.matches("/srv/aXb/x.md")
    double = PathPattern.compile("*.md").under("/srv/**")
    assert double.matches("/srv/**/x.md")
    assert not double.matches("/srv/a/x.md")


def test_everything_under_a_folder_is_the_folder_too() -> None:
    pattern = PathPattern.compile("**").under("/srv/notes")
    assert pattern.matches("/srv/notes")
    assert pattern.matches("/srv/notes/a/b")
    assert not pattern.matches("/srv")
    assert not pattern.matches("/srv/notes2")
    assert PathPattern.compile("**").under("/").matches("/")


def test_an_absolute_pattern_stays_where_it_is() -> None:
    pattern = PathPattern.compile("/a/*")
    assert pattern.under("/b") is pattern


def test_a_folder_that_is_not_canonical_is_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        PathPattern.compile("*").under("/a/../b")


@pytest.mark.parametrize(
    ("pattern", "folder", "reaches"),
    [
        ("/home/**", "/home/ada/Notes", True),
        ("/home/ada/Notes/private/**", "/home/ada/Notes", True),
        ("/home/ada", "/home/ada/Notes", False),
        ("/etc/**", "/home/ada/Notes", False),
        ("/*/ada/**", "/home/ada/Notes", True),
        ("/**/x", "/home/ada/Notes", True),
        ("/home/ada/Notes", "/home/ada/Notes", True),
        ("/home/ada/*", "/home/ada/Notes", True),
        ("/home/ada/*.md", "/home/ada/Notes", False),
        ("/home/ada/Notes2/**", "/home/ada/Notes", False),
    ],
)
def test_whether_a_pattern_reaches_a_folder(pattern: str, folder: str, reaches: bool) -> None:
    assert PathPattern.compile(pattern).reaches(tuple(folder[1:].split("/"))) is reaches


@pytest.mark.parametrize(
    ("one", "other", "disjoint"),
    [
        ("*.txt", "**/*.md", True),
        ("*.txt", "**/*.txt", False),
        ("a/**", "b/**", True),
        ("a/**", "**", False),
        ("a/b", "a", True),
        ("a/*", "*/b", False),
        ("/a/**", "a/**", True),
        ("**/x/a", "**/y/a", True),
        ("a", "**", False),
        ("a", "a/**", False),
    ],
)
def test_disjoint_patterns(one: str, other: str, disjoint: bool) -> None:
    first, second = PathPattern.compile(one), PathPattern.compile(other)
    assert first.is_disjoint(second) is disjoint
    assert second.is_disjoint(first) is disjoint


def test_disjointness_takes_anchors_literally() -> None:
    literal = PathPattern.compile("x").under("/a*b")
    assert literal.is_disjoint(PathPattern.compile("/aXb/x"))
    assert not literal.is_disjoint(PathPattern.compile("/a*b/x"))
    assert literal.is_disjoint(PathPattern.compile("x").under("/a*c"))


def test_folded_patterns_ignore_case_and_composition() -> None:
    pattern = PathPattern.compile("Café/*.MD").under("/Srv").folded()
    assert pattern.matches_parts(("srv", "caf\u00e9", "a.md"))


def test_canonical_tells_a_literal_folder_from_a_pattern() -> None:
    assert PathPattern.compile("x").under("/a*").canonical != PathPattern.compile("/a*/x").canonical
    assert str(PathPattern.compile("/a*/x")) == "/a*/x"
