"""Wildcards inside one name."""

from __future__ import annotations


def name_matches(pattern: str, name: str) -> bool:
    """Whether one name fits one segment of a pattern: `*` is any run of characters, `?` exactly one.

    Two pointers and one mark: on a mismatch only the last `*` takes one character more, for what an earlier one could
    take the last can take too. So no more than `len(pattern) * len(name)` characters are ever compared, whatever the
    pattern; a regular expression with the same stars needs time exponential in their number.

    >>> name_matches("*.md", "notes.md"), name_matches("?.md", ".md")
    (True, False)
    """
    at_pattern = at_name = 0
    star = mark = -1
    pattern_length, name_length = len(pattern), len(name)
    while at_name < name_length:
        token = pattern[at_pattern] if at_pattern < pattern_length else ""
        if token == "*":
            star, mark = at_pattern, at_name
            at_pattern += 1
        elif token and (token == "?" or token == name[at_name]):
            at_pattern += 1
            at_name += 1
        elif star >= 0:
            mark += 1
            at_pattern, at_name = star + 1, mark
        else:
            return False
    while at_pattern < pattern_length and pattern[at_pattern] == "*":
        at_pattern += 1
    return at_pattern == pattern_length


def names_disjoint(one: str, other: str) -> bool:
    """Whether surely no name fits both segments; False when in doubt.

    >>> names_disjoint("*.md", "*.txt"), names_disjoint("a*", "*.txt")
    (True, False)
    """
    if not _is_wild(one):
        return not name_matches(other, one)
    if not _is_wild(other):
        return not name_matches(one, other)
    one_start, one_end = _fixed_ends(one)
    other_start, other_end = _fixed_ends(other)
    starts_agree = one_start.startswith(other_start) or other_start.startswith(one_start)
    ends_agree = one_end.endswith(other_end) or other_end.endswith(one_end)
    return not (starts_agree and ends_agree)


def _is_wild(segment: str) -> bool:
    return "*" in segment or "?" in segment


def _fixed_ends(segment: str) -> tuple[str, str]:
    wild = [at for at, character in enumerate(segment) if character in "*?"]
    return segment[: wild[0]], segment[wild[-1] + 1 :]
