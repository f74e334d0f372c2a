"""Patterns: refused with a reason, or matched in bounded time as a matcher does that is too simple to be wrong."""

from __future__ import annotations

from functools import lru_cache

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.name_wildcard import name_matches
from mcp_server.security.permissions.parts_pattern import PartsPattern
from mcp_server.security.permissions.path_pattern import PathPattern, segments_match
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern
from mcp_server.security.permissions.resource_text import fold, path_parts
from tests.support.counted import CountedNames, CountedText

name = "pattern"

corpus = (
    b"**\nnotes/a.md",
    b"*.md\na.md",
    b"notes/**/*.md\nnotes/2026/may/a.md",
    b"/srv/**\n/srv/desk/a.txt",
    b"a?c/**/b*\nabc/x/y/bcd",
    b"**/.ssh/**\nhome/ada/.ssh/id",
    b"~/notes/*\nnotes/a",
    b"{client}/*.txt\nada/a.txt",
    b"*.example.com:443\napi.example.com:443",
    b"unrestricted\nunrestricted",
    b"*a*a*a*a*b\naaaaaaaaaaaaaaaaaaaa",
    b"**/a/**/a/**/b\na/a/a/a/a/a/a/a",
    b"/\n/",
    b"**\n.",
    "**/caf\u00e9\ncafe\u0301".encode(),
    b"a/../b\na/b",
    b"[ab]\na",
)

SHORT = 24
"""How long pattern and text may be for the simple matchers."""

LONG = 600
"""How long they may be where every step is counted."""


# Remembered, for what is simple here takes exponential time otherwise.
@lru_cache(maxsize=10_000)
def _text_fits(pattern: str, text: str, *, one: str = "") -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return _text_fits(pattern[1:], text, one=one) or (bool(text) and _text_fits(pattern, text[1:], one=one))
    return bool(text) and pattern[0] in (one or text[0], text[0]) and _text_fits(pattern[1:], text[1:], one=one)


@lru_cache(maxsize=10_000)
def _names_fit(segments: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if not segments:
        return not parts
    if segments == ("**",):
        return bool(parts)
    if segments[0] == "**":
        return _names_fit(segments[1:], parts) or (bool(parts) and _names_fit(segments, parts[1:]))
    return bool(parts) and _text_fits(segments[0], parts[0], one="?") and _names_fit(segments[1:], parts[1:])


def _path_fits(pattern: str, path: str) -> bool:
    try:
        is_absolute, parts = path_parts(path)
    except ValueError:
        return False
    if pattern.startswith("/") is not is_absolute:
        return False
    if pattern == "**":
        return True
    return _names_fit(tuple(pattern.removeprefix("/").split("/")) if pattern != "/" else (), parts)


def run(data: bytes) -> None:
    """Compile the first line, and match the rest against it."""
    pattern, _, text = data.decode("utf-8", "surrogateescape").partition("\n")
    is_short = len(pattern) <= SHORT and len(text) <= SHORT
    try:
        paths = PathPattern.compile(pattern, client="ada", home="/home/ada")
        plain = PathPattern.compile(pattern)
    except ConfigurationError:
        pass
    else:
        assert paths.matches(text) in (True, False)
        assert paths.folded().matches(fold(text)) in (True, False)
        if is_short:
            assert plain.matches(text) is _path_fits(pattern, text)
        if len(text) <= LONG and len(plain.segments) <= LONG:
            _count(plain, text)
    try:
        parts = PartsPattern.compile(pattern)
    except ConfigurationError:
        pass
    else:
        assert parts.matches(text) in (True, False)
        assert parts.folded().covers(fold(text)) in (True, False)
        if is_short and pattern not in ("*", "**"):
            assert parts.matches(text) is (_path_fits(pattern, text) and text != UNRESTRICTED)
    try:
        opaque = ResourcePattern.compile(pattern)
    except ConfigurationError:
        return
    assert opaque.matches(text) in (True, False)
    if is_short:
        expected = _text_fits(pattern, text) and not (text == UNRESTRICTED != pattern)
        assert opaque.matches(text) is expected


def _count(pattern: PathPattern, text: str) -> None:
    """Match step by step, and see that no step was taken more often than the product of both lengths."""
    parts = CountedNames(text.split("/"))
    segments_match(pattern.segments, parts)
    assert parts.looks <= (len(pattern.segments) + 1) * (len(parts) + 1)
    for segment in pattern.segments[:4]:
        counted = CountedText(text)
        name_matches(segment, counted)
        assert counted.looks <= (len(segment) + 1) * (len(text) + 1)
