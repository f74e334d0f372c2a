"""Whether all that one pattern is about is what another is about as well; "no" where that is not sure.

One pattern is read by the other as if it were a resource: `*` of the wider one takes in any characters of the narrower
one, its `*` among them, and `**` any segments. What is found so is true; some that is true is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from typing import TypeVar

from mcp_server.security.permissions.endpoint_pattern import EndpointPattern
from mcp_server.security.permissions.name_wildcard import name_matches
from mcp_server.security.permissions.parts_pattern import PartsPattern
from mcp_server.security.permissions.path_pattern import PathPattern
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED, ResourcePattern

Pattern = PathPattern | ResourcePattern
T = TypeVar("T")
_Segment = tuple[str, bool]


def grants_include(wide: Pattern, narrow: Pattern) -> bool:
    """Whether a grant of `wide` surely grants all that one of `narrow` does.

    >>> grants_include(PathPattern.compile("**/*.md"), PathPattern.compile("notes/**/a*.md"))
    True
    >>> grants_include(PathPattern.compile("notes/*"), PathPattern.compile("notes/**"))
    False
    """
    if isinstance(wide, PathPattern):
        return isinstance(narrow, PathPattern) and _paths_include(wide, narrow)
    if isinstance(narrow, PathPattern):
        return False
    if isinstance(wide, EndpointPattern) and isinstance(narrow, EndpointPattern):
        return _endpoints_include(wide, narrow, denies=False)
    if isinstance(wide, PartsPattern) and isinstance(narrow, PartsPattern):
        return _paths_include(wide.inner, narrow.inner)
    if len(narrow.pieces) == 1:
        return wide.matches(narrow.pieces[0])
    if type(wide) is not type(narrow):
        return False
    return wide.canonical == narrow.canonical or (type(wide) is ResourcePattern and _texts_include(wide, narrow))


def denials_include(wide: Pattern, narrow: Pattern) -> bool:
    """Whether a denial of `wide` surely denies all that one of `narrow` does, under every spelling.

    >>> denials_include(ResourcePattern.compile("*"), ResourcePattern.compile("unrestricted"))
    True
    """
    if isinstance(wide, PathPattern):
        return (
            isinstance(narrow, PathPattern)
            and _paths_include(wide, narrow)
            and _paths_include(wide.folded(), narrow.folded())
        )
    if isinstance(narrow, PathPattern):
        return False
    if isinstance(wide, EndpointPattern) and isinstance(narrow, EndpointPattern):
        return _endpoints_include(wide, narrow, denies=True)
    if isinstance(wide, PartsPattern) and isinstance(narrow, PartsPattern):
        return denials_include(wide.inner, narrow.inner)
    if type(wide) is not type(narrow):
        return False
    return wide.canonical == narrow.canonical or (
        type(wide) is ResourcePattern
        and _texts_include(wide, narrow)
        and _texts_include(wide.folded(), narrow.folded())
    )


def surely_apart(denied: Pattern, granted: Pattern) -> bool:
    """Whether a denial surely says nothing of anything that a grant is about; "no" where spellings could meet.

    >>> surely_apart(PathPattern.compile("Private/**"), PathPattern.compile("private/*"))
    False
    """
    if not (denied.canonical.isascii() and granted.canonical.isascii()):
        return False
    if isinstance(denied, PathPattern):
        return isinstance(granted, PathPattern) and _loose(denied).is_disjoint(_loose(granted))
    if isinstance(denied, PartsPattern) and isinstance(granted, PartsPattern):
        return surely_apart(denied.inner, granted.inner)
    if type(denied) is ResourcePattern and type(granted) is ResourcePattern:
        return denied.folded().is_disjoint(granted.folded())
    return False


def _loose(pattern: PathPattern) -> PathPattern:
    """Return the folded pattern with `*` for `?`, for one character may be folded to two."""
    folded = pattern.folded()
    segments = tuple(each if each == "**" else each.replace("?", "*").replace("**", "*") for each in folded.segments)
    return replace(folded, segments=segments)


def _paths_include(wide: PathPattern, narrow: PathPattern) -> bool:
    return wide.is_absolute is narrow.is_absolute and _absorbs(
        _segments(wide), _segments(narrow), lambda token: token == ("**", False), _segment_includes
    )


def _segments(pattern: PathPattern) -> list[_Segment]:
    return [*((each, True) for each in pattern.anchor), *((each, False) for each in pattern.segments)]


def _segment_includes(wide: _Segment, narrow: _Segment) -> bool:
    if narrow == ("**", False):
        return False
    text, is_literal = narrow
    if is_literal or not ("*" in text or "?" in text):
        return wide[0] == text if wide[1] else name_matches(wide[0], text)
    return not wide[1] and _absorbs(
        wide[0], text, lambda sign: sign == "*", lambda one, other: other != "*" and (one in ("?", other))
    )


def _texts_include(wide: ResourcePattern, narrow: ResourcePattern) -> bool:
    if narrow.pieces == (UNRESTRICTED,):
        return wide.covers(UNRESTRICTED)
    return _absorbs(
        wide.canonical, narrow.canonical, lambda sign: sign == "*", lambda one, other: one == other and other != "*"
    )


def _endpoints_include(wide: EndpointPattern, narrow: EndpointPattern, *, denies: bool) -> bool:
    if wide.port is not None and wide.port != narrow.port:
        return False
    if wide.network is not None:
        if narrow.network is None:
            return False
        if isinstance(wide.network, IPv4Network):
            return isinstance(narrow.network, IPv4Network) and narrow.network.subnet_of(wide.network)
        return not isinstance(narrow.network, IPv4Network) and narrow.network.subnet_of(wide.network)
    if narrow.network is not None:
        # A grant of any host is none of addresses that are not public, and a network may hold some.
        return denies and wide.name is None
    if wide.name is None:
        return True
    if narrow.name is None:
        return False
    if wide.name == narrow.name:
        return True
    if not wide.name.startswith("."):
        return False
    if denies:
        return narrow.name.endswith(wide.name)
    return (
        not narrow.name.startswith(".")
        and narrow.name.endswith(wide.name)
        and ("." not in narrow.name.removesuffix(wide.name))
    )


def _absorbs(
    wide: Sequence[T], narrow: Sequence[T], is_star: Callable[[T], bool], fits: Callable[[T, T], bool]
) -> bool:
    """Match as a wildcard matches a text, with two pointers: the last star takes one more where nothing else fits."""
    at = other = 0
    star = mark = -1
    while other < len(narrow):
        if at < len(wide) and is_star(wide[at]):
            star, mark = at, other
            at += 1
        elif at < len(wide) and fits(wide[at], narrow[other]):
            at += 1
            other += 1
        elif star >= 0:
            mark += 1
            at, other = star + 1, mark
        else:
            return False
    return all(is_star(each) for each in wide[at:])
