from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern


@pytest.mark.parametrize(
    ("pattern", "resource"),
    [("*", "x"), ("**", "x"), ("a", "a"), ("api.example.com:*", "api.example.com:443"), ("*:443", "a:443"),
     ("a*b*c", "a/b/b/c"), ("a*a", "aa"), ("bucket/*", "bucket/a/b"), ("a?b[c]", "a?b[c]"), ("a**b", "ab")],
)  # fmt: skip
def test_matches(pattern: str, resource: str) -> None:
    assert ResourcePattern.compile(pattern).matches(resource)


@pytest.mark.parametrize(
    ("pattern", "resource"),
    [("a", "ab"), ("a", "A"), ("a*a", "a"), ("ab*ba", "aba"), ("*:443", "a:443\n"), ("a?", "ab"), ("a*b*c", "ac"),
     ("a*b*c", "acb")],
)  # fmt: skip
def test_does_not_match(pattern: str, resource: str) -> None:
    assert not ResourcePattern.compile(pattern).matches(resource)


@pytest.mark.parametrize("wide", ["*", "**", "un*", "*restricted"])
def test_no_wildcard_grants_leaving_the_sandbox(wide: str) -> None:
    assert not ResourcePattern.compile(wide).matches(UNRESTRICTED)
    assert ResourcePattern.compile(wide).covers(UNRESTRICTED)


def test_leaving_the_sandbox_is_granted_by_its_name() -> None:
    assert ResourcePattern.compile(UNRESTRICTED).matches(UNRESTRICTED)


@pytest.mark.parametrize("text", ["", "a\0", "a\nb", "\udc80", "x" * 4097])
def test_bad_patterns_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        ResourcePattern.compile(text)


def test_client_is_put_in_literally() -> None:
    pattern = ResourcePattern.compile("bucket/{client}/*", client="claude")
    assert pattern.matches("bucket/claude/a")
    assert pattern.canonical == "bucket/claude/*"
    assert str(pattern) == "bucket/{client}/*"


@pytest.mark.parametrize(
    ("one", "other", "disjoint"),
    [("a", "a", False), ("a", "b", True), ("a*", "ab", False), ("a*", "b", True), ("a*", "b*", True),
     ("*.com", "*.org", True), ("a*", "*b", False), ("*", UNRESTRICTED, False)],
)  # fmt: skip
def test_disjoint_patterns(one: str, other: str, disjoint: bool) -> None:
    first, second = ResourcePattern.compile(one), ResourcePattern.compile(other)
    assert first.is_disjoint(second) is disjoint
    assert second.is_disjoint(first) is disjoint
