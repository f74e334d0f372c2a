from __future__ import annotations

import pytest

from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.pattern_inclusion import denials_include, grants_include, surely_apart
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.resource_pattern import ResourcePattern
from mcp_server.security.permissions.resource_patterns import compile_pattern


@pytest.mark.parametrize(
    ("wide", "narrow", "answer"),
    [
        ("**", "a/b", True),
        ("**", "**", True),
        ("a/**", "a/b/*.md", True),
        ("a/**", "a", False),
        ("a/**", "b/**", False),
        ("a/*", "a/**", False),
        ("**/*.md", "a/**/x.md", True),
        ("*.md", "a?.md", True),
        ("a?.md", "a*.md", False),
        ("a??", "a?b", True),
        ("a?", "a?b", False),
        ("/srv/**", "srv/**", False),
        ("**/a/**/b", "x/a/y/a/b", True),
    ],
)
def test_paths(wide: str, narrow: str, answer: bool) -> None:
    assert grants_include(PathPattern.compile(wide), PathPattern.compile(narrow)) is answer
    assert denials_include(PathPattern.compile(wide), PathPattern.compile(narrow)) is answer


def test_a_folder_that_is_called_like_a_pattern_is_none() -> None:
    literal, pattern = PathPattern.compile("*").under("/a*"), PathPattern.compile("/a*/*")
    assert grants_include(pattern, literal)
    assert not grants_include(literal, pattern)
    assert grants_include(literal, PathPattern.compile("x").under("/a*"))


@pytest.mark.parametrize(
    ("kind", "wide", "narrow", "grants", "denies"),
    [
        ("CUSTOM_X", "a*", "ab*", True, True),
        ("CUSTOM_X", "ab*", "a*", False, False),
        ("CUSTOM_X", "*a*", "xa", True, True),
        ("CUSTOM_X", "*", "unrestricted", False, True),
        ("CUSTOM_X", "unrestricted", "unrestricted", True, True),
        ("NETWORK_CONNECT", "*:443", "a.org:443", True, True),
        ("NETWORK_CONNECT", "*:443", "a.org:*", False, False),
        ("NETWORK_CONNECT", "*", "10.0.0.0/8:443", False, True),
        ("NETWORK_CONNECT", "10.0.0.0/8:*", "10.1.0.0/16:443", True, True),
        ("NETWORK_CONNECT", "10.1.0.0/16:*", "10.0.0.0/8:443", False, False),
        ("NETWORK_CONNECT", "10.0.0.0/8:*", "[fd00::/8]:443", False, False),
        ("NETWORK_CONNECT", "10.0.0.0/8:*", "a.org:443", False, False),
        ("NETWORK_CONNECT", "*.org:443", "a.org:443", True, True),
        ("NETWORK_CONNECT", "*.org:443", "x.a.org:443", False, True),
        ("NETWORK_CONNECT", "*.org:443", "*.a.org:443", False, True),
        ("NETWORK_CONNECT", "a.org:443", "*:443", False, False),
    ],
)
def test_texts_and_endpoints(kind: str, wide: str, narrow: str, grants: bool, denies: bool) -> None:
    one, other = (compile_pattern(PermissionType(kind), each) for each in (wide, narrow))
    assert grants_include(one, other) is grants
    assert denials_include(one, other) is denies


def test_what_is_of_another_language_is_not_compared() -> None:
    path, text = PathPattern.compile("/**"), ResourcePattern.compile("*")
    endpoint = compile_pattern(PermissionType.NETWORK_CONNECT, "*:443")
    for one, other in ((path, text), (text, path), (text, endpoint), (endpoint, text)):
        assert not grants_include(one, other)
        assert not denials_include(one, other)
        assert not surely_apart(one, other)


@pytest.mark.parametrize(
    ("denied", "granted", "apart"),
    [
        ("a/**", "b/**", True),
        ("A/**", "a/**", False),
        ("k", "\u212a", False),
        ("ss", "?", False),
        ("\u00e9", "e*", False),
        ("a*", "b*", True),
    ],
)
def test_a_denial_is_apart_only_where_no_spelling_meets(denied: str, granted: str, apart: bool) -> None:
    assert surely_apart(PathPattern.compile(denied), PathPattern.compile(granted)) is apart
