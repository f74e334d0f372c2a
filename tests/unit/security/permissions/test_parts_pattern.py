from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.parts_pattern import PartsPattern
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED


@pytest.mark.parametrize(
    ("pattern", "resource", "answer"),
    [
        ("b/k", "b/k", True),
        ("b/*", "b/k", True),
        ("b/*", "b/k/x", False),
        ("b/**", "b/k/x", True),
        ("b/**", "b", False),
        ("b*/k", "bb/k", True),
        ("b*/k", "b/x/k", False),
        ("b/?", "b/k", True),
        ("*", "b/k/x", True),
        ("**", "b", True),
        ("*", UNRESTRICTED, False),
        ("{client}/*", "ada/x", True),
        # What reads it next may read it in another way.
        ("b/**", "b/../c/k", False),
        ("b/**", "b//k", False),
        ("b/**", "b/k/", False),
        ("b/**", "/b/k", False),
        ("**", "b/./k", False),
    ],
)
def test_parts_are_matched_one_by_one(pattern: str, resource: str, answer: bool) -> None:
    assert PartsPattern.compile(pattern, client="ada").matches(resource) is answer


def test_a_denial_is_read_widely() -> None:
    everything = PartsPattern.compile("*")
    assert everything.is_everything
    for resource in ("a", "a//b", "../a", UNRESTRICTED):
        assert everything.covers(resource)
    assert PartsPattern.compile("B/Private/**").folded().covers("b/private/x")
    assert PartsPattern.compile("B/K").folded().pieces == ("b/k",)
    assert not PartsPattern.compile("b/private/**").covers("b/public/x")


@pytest.mark.parametrize("text", ["", "/b/k", "b//k", "b/../k", "b/k/", "b/[k]", "b/{k}", "b/a**", "b/\x00", "!b/k"])
def test_what_parts_do_not_have_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        PartsPattern.compile(text)


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [("a/*", "b/*", True), ("a/**", "a/b/c", False), ("a/*", "a/b/c", True), ("*", "a/b", False)],
)
def test_what_is_surely_apart(one: str, other: str, answer: bool) -> None:
    first, second = PartsPattern.compile(one), PartsPattern.compile(other)
    assert first.is_disjoint(second) is second.is_disjoint(first) is answer


def test_patterns_that_say_something_else_have_another_text() -> None:
    texts = ["a/b", "a/*", "a/**", "**", "b/a"]
    assert len({PartsPattern.compile(each).canonical for each in texts}) == len(texts)
    assert PartsPattern.compile("*").canonical == PartsPattern.compile("**").canonical
