"""Which paths a rule is about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.name_wildcard import name_matches, names_disjoint
from mcp_server.security.permissions.resource_text import MAX_PATH_BYTES, fold, forbidden_character, path_parts

# Written by people who think of a shell or of gitignore. Silently taking them for plain characters would make a
# denial that denies nothing.
_REFUSED: Final = {
    "[": "character classes",
    "]": "character classes",
    "{": "braces",
    "}": "braces",
    "\\": "escapes",
    "~": "'~'",
}


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A compiled path pattern; `*` and `?` stay inside a name, `**` is a whole segment: any number of names.

    Matching is by whole segments of canonical paths, never by text prefix; names that begin with a dot are names like
    others; case matters (see `folded` for denials). `/data/**` is everything below `/data` and not `/data` itself;
    only a bare relative `**` means the folder itself too, which is written `.`.

    Made by `compile`; the fields are what it found.

    Args:
        text: The pattern as it was written.
        is_absolute: Whether it begins at the root; a relative pattern matches relative paths only.
        segments: The segments that are matched; a final `**` has become `**` and `*`.
        anchor: Names that come before, compared literally: a folder may be called `a*b`.

    Source: `docs/reference/policy-file.md`; it differs from gitignore(5) and POSIX.1-2024 XCU 2.14 as said there.

    >>> notes = PathPattern.compile("notes/**/*.md")
    >>> notes.matches("notes/2026/may/a.md"), notes.matches("notes/a.md"), notes.matches("notes/../a.md")
    (True, True, False)
    """

    text: str
    is_absolute: bool
    segments: tuple[str, ...]
    anchor: tuple[str, ...] = ()

    @classmethod
    def compile(cls, text: str, *, client: str | None = None, home: str | None = None) -> Self:
        """Return the pattern that `text` writes.

        Args:
            text: The pattern.
            client: What `{client}` stands for, None where it stands for nothing.
            home: The canonical home directory that a leading `~/` or `{home}/` stands for, None where there is none.

        Raises:
            ConfigurationError: The pattern uses what patterns do not have, or could never match a path.
        """
        if not text:
            raise ConfigurationError("the pattern is empty; write '**' for everything in the folder")
        if len(text.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
            raise ConfigurationError(f"the pattern is longer than {MAX_PATH_BYTES} bytes")
        bad = forbidden_character(text)
        if bad is not None:
            raise ConfigurationError(f"the pattern {text!a} holds the character {bad}")
        anchor: tuple[str, ...] = ()
        rest, from_home = text, False
        for prefix in ("~/", "{home}/"):
            if home is not None and text.startswith(prefix):
                rest, from_home = text[len(prefix) :], True
                anchor = path_parts(home)[1]
        if client is not None:
            rest = rest.replace("{client}", client)
        if rest == "/" and not from_home:
            return cls(text, is_absolute=True, segments=())
        is_absolute = from_home or rest.startswith("/")
        segments = _checked_segments(text, rest if from_home or not is_absolute else rest[1:])
        if segments[-1] == "**" and (is_absolute or len(segments) > 1):
            # Something below, not the place itself.
            segments = (*segments, "*")
        return cls(text, is_absolute=is_absolute, segments=segments, anchor=anchor)

    def under(self, folder: str) -> Self:
        """Return this relative pattern as one of absolute paths below `folder`, whose name is taken literally.

        An absolute pattern is returned as it is.

        Args:
            folder: A canonical absolute path.

        Raises:
            ValueError: The folder's path is not canonical.
        """
        if self.is_absolute:
            return self
        return replace(self, is_absolute=True, anchor=path_parts(folder)[1])

    def folded(self) -> Self:
        """Return the pattern in the caseless form in which denials compare; see `fold`."""
        return replace(
            self, segments=tuple(fold(each) for each in self.segments), anchor=tuple(fold(each) for each in self.anchor)
        )

    @property
    def canonical(self) -> str:
        """The compiled pattern in one unambiguous line: a literal anchor stands before a NUL."""
        return ("/" if self.is_absolute else "") + "/".join(self.anchor) + "\0" + "/".join(self.segments)

    @property
    def is_everything(self) -> bool:
        """Whether it is a bare `**`: all of the folder it belongs to, or of every folder."""
        return self.segments == ("**",)

    def matches(self, path: str) -> bool:
        """Whether the canonical path `path` fits; a path that is not canonical fits no pattern.

        A caller that decides by *no* match must not rely on that: `path_parts` tells a malformed path apart.
        """
        try:
            is_absolute, parts = path_parts(path)
        except ValueError:
            return False
        return is_absolute is self.is_absolute and self.matches_parts(parts)

    def matches_parts(self, parts: tuple[str, ...]) -> bool:
        """Whether names that `path_parts` split fit, of a path of the same kind (absolute or relative)."""
        anchor = self.anchor
        if anchor:
            if parts[: len(anchor)] != anchor:
                return False
            parts = parts[len(anchor) :]
        return segments_match(self.segments, parts)

    def reaches(self, folder: tuple[str, ...]) -> bool:
        """Whether it can match the directory of these names or anything below it."""
        here = {0}
        pattern = (*self.anchor, *self.segments)
        literal = len(self.anchor)
        for name in folder:
            following: set[int] = set()
            for at in _past_empty_stars(pattern, here, literal):
                if at < len(pattern) and at >= literal and pattern[at] == "**":
                    following.add(at)
                elif at < len(pattern) and (pattern[at] == name or (at >= literal and name_matches(pattern[at], name))):
                    following.add(at + 1)
            here = following
        return bool(here)

    def is_disjoint(self, other: PathPattern) -> bool:
        """Whether surely no path fits both; False when in doubt.

        Compares the segments before the first and after the last `**`, which stand at fixed places.
        """
        if self.is_absolute is not other.is_absolute:
            return True
        one, other_one = self._tokens(), other._tokens()
        if not any(_is_run(each) for each in (*one, *other_one)) and len(one) != len(other_one):
            return True
        return _ends_disjoint(one, other_one) or _ends_disjoint(one[::-1], other_one[::-1])

    def _tokens(self) -> tuple[tuple[str, bool], ...]:
        return (*((each, True) for each in self.anchor), *((each, False) for each in self.segments))

    def __str__(self) -> str:
        return self.text


def segments_match(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Whether the names `parts` fit the segments `pattern`.

    The same two pointers as inside a name, one level up: each pair of a segment and a name is compared at most once
    for each `**` before it, so the whole match compares at most as many characters as the product of both lengths.

    >>> segments_match(("**", "*.md"), ("a", "b.md"))
    True
    """
    at_pattern = at_part = 0
    star = mark = -1
    pattern_length, length = len(pattern), len(parts)
    while at_part < length:
        if at_pattern < pattern_length:
            token = pattern[at_pattern]
            if token == "**":
                star, mark = at_pattern, at_part
                at_pattern += 1
                continue
            part = parts[at_part]
            if token in ("*", part) or (("*" in token or "?" in token) and name_matches(token, part)):
                at_pattern += 1
                at_part += 1
                continue
        if star < 0:
            return False
        mark += 1
        at_pattern, at_part = star + 1, mark
    while at_pattern < pattern_length and pattern[at_pattern] == "**":
        at_pattern += 1
    return at_pattern == pattern_length


def _checked_segments(text: str, rest: str) -> tuple[str, ...]:
    segments = tuple(rest.split("/"))
    for segment in segments:
        if not segment:
            raise ConfigurationError(
                f"the pattern {text!r} has an empty segment; write single slashes, none at the end"
            )
        if segment in (".", ".."):
            raise ConfigurationError(f"the pattern {text!r} holds {segment!r}; no opened file's path does")
        if "**" in segment and segment != "**":
            raise ConfigurationError(f"the pattern {text!r}: '**' must be a whole segment, as in 'notes/**/*.md'")
        # The wildcards do not count: `*` may stand for nothing.
        if len(segment.replace("*", "").encode()) > 255:
            raise ConfigurationError(f"the pattern {text!r} holds a name longer than 255 bytes")
    for character, what in _REFUSED.items():
        if character in rest:
            hint = "use '?' for one character and '*' for several"
            if character == "~":
                hint = "'~/' stands for the home directory only at the start of a policy's rule"
            raise ConfigurationError(f"the pattern {text!r} uses {what}, which patterns do not have; {hint}")
    if rest.startswith("!"):
        raise ConfigurationError(f"the pattern {text!r} begins with '!'; write a deny rule instead")
    return segments


def _past_empty_stars(pattern: tuple[str, ...], places: set[int], literal: int) -> set[int]:
    found: set[int] = set()
    for start in places:
        at = start
        found.add(at)
        while literal <= at < len(pattern) and pattern[at] == "**":
            at += 1
            found.add(at)
    return found


def _is_run(token: tuple[str, bool]) -> bool:
    return token == ("**", False)


def _ends_disjoint(one: tuple[tuple[str, bool], ...], other: tuple[tuple[str, bool], ...]) -> bool:
    for first, second in zip(one, other, strict=False):
        if _is_run(first) or _is_run(second):
            return False
        if first[1] and second[1]:
            apart = first[0] != second[0]
        elif first[1]:
            apart = not name_matches(second[0], first[0])
        elif second[1]:
            apart = not name_matches(first[0], second[0])
        else:
            apart = names_disjoint(first[0], second[0])
        if apart:
            return True
    return False
