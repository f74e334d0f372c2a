"""Glob patterns in linear time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError

MAX_PATTERN_CHARACTERS: Final = 1024
MAX_ALTERNATIVES: Final = 64


@dataclass(frozen=True, slots=True)
class GlobPattern:
    """A pattern for paths: `*` and `?` stay inside a name, `**` crosses names, `[a-z]` and `{a,b}` choose.

    No regular expression is built of it. A name is matched with one point to fall back to, a path with one bit a
    pattern part, so the time is at most the length of the pattern times that of the path, whatever an attacker writes.

    Args:
        alternatives: The pattern without braces: for each alternative its names.

    >>> pattern = GlobPattern.compile("src/**/*.{py,md}")
    >>> [pattern.matches(path.split("/")) for path in ("src/a.py", "src/x/y/b.md", "src/a.pyc", "a.py")]
    [True, True, False, False]
    """

    alternatives: tuple[tuple[str, ...], ...]

    @classmethod
    def compile(cls, text: str) -> GlobPattern:
        """Return the pattern `text` stands for.

        Raises:
            InvalidArgumentsError: It is empty, too long, or its braces make too many alternatives.
        """
        if not text or len(text) > MAX_PATTERN_CHARACTERS:
            raise InvalidArgumentsError([f"a pattern has 1 to {MAX_PATTERN_CHARACTERS} characters"])
        return cls(tuple(_simplified(alternative.split("/")) for alternative in _expand_braces(text)))

    def matches(self, parts: Sequence[str]) -> bool:
        """Return whether the path made of the names `parts` is one of those meant."""
        return any(_path_matches(alternative, parts) for alternative in self.alternatives)


def _simplified(parts: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for part in parts:
        # Two `**` in a row say what one says.
        if part and part != "." and not (part == "**" and kept and kept[-1] == "**"):
            kept.append(part)
    return tuple(kept)


def _expand_braces(text: str) -> list[str]:
    finished: list[str] = []
    waiting = [text]
    while waiting:
        current = waiting.pop()
        group = _innermost_group(current)
        if group is None:
            finished.append(current)
        else:
            start, end = group
            waiting.extend(
                current[:start] + choice + current[end + 1 :] for choice in current[start + 1 : end].split(",")
            )
        if len(finished) + len(waiting) > MAX_ALTERNATIVES:
            raise InvalidArgumentsError([f"the braces of a pattern make more than {MAX_ALTERNATIVES} alternatives"])
    return finished


def _innermost_group(text: str) -> tuple[int, int] | None:
    """Return where the first group that holds no other begins and ends; a group without a comma is plain text."""
    start = -1
    for index, character in enumerate(text):
        if character == "{":
            start = index
        elif character == "}" and start >= 0:
            if "," in text[start:index]:
                return start, index
            start = -1
    return None


def _path_matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    # `reached` holds which pattern parts may come next; it is the state set of the automaton the pattern describes.
    reached = _skip_stars(pattern, {0})
    for part in parts:
        following: set[int] = set()
        for index in reached:
            if index < len(pattern):
                if pattern[index] == "**":
                    following.add(index)
                elif name_matches(pattern[index], part):
                    following.add(index + 1)
        if not following:
            return False
        reached = _skip_stars(pattern, following)
    return len(pattern) in reached


def _skip_stars(pattern: Sequence[str], reached: set[int]) -> set[int]:
    for index in sorted(reached):
        following = index
        while following < len(pattern) and pattern[following] == "**":
            following += 1
            reached.add(following)
    return reached


def name_matches(pattern: str, name: str) -> bool:
    """Return whether one name matches one part of a pattern, case-sensitively.

    On a mismatch only the last `*` may take one more character, which is enough and keeps the time bounded.

    >>> name_matches("*.t?t", "a.b.txt"), name_matches("[!a-c]*", "bad"), name_matches("*", ".hidden")
    (True, False, True)
    """
    at, index = 0, 0
    star_at, star_index = -1, 0
    while index < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star_at, star_index = at, index
            at += 1
            continue
        width = _token_matches(pattern, at, name[index]) if at < len(pattern) else 0
        if width:
            at += width
            index += 1
        elif star_at >= 0:
            star_index += 1
            at, index = star_at + 1, star_index
        else:
            return False
    return pattern[at:].strip("*") == ""


def _token_matches(pattern: str, at: int, character: str) -> int:
    """Return how many pattern characters were used up to match `character`, 0 for no match."""
    token = pattern[at]
    if token == "?":
        return 1
    if token == "[":
        end = pattern.find("]", at + 3 if pattern[at + 1 : at + 2] in ("!", "^") else at + 2)
        if end > 0:
            return end - at + 1 if _class_matches(pattern[at + 1 : end], character) else 0
    return 1 if token == character else 0


def _class_matches(body: str, character: str) -> bool:
    is_negated = body[0] in "!^"
    members = body[1:] if is_negated else body
    index, found = 0, False
    while index < len(members) and not found:
        if members[index + 1 : index + 2] == "-" and index + 2 < len(members):
            found = members[index] <= character <= members[index + 2]
            index += 3
        else:
            found = members[index] == character
            index += 1
    return found is not is_negated
