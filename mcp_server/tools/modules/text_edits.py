"""Replacing runs of lines in a text, and showing what was replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mcp_server.errors.tool_error import ToolError

# `difflib` compares every line with every other in the worst case; a longer change is shown as one block.
MAX_COMPARED_LINES: Final = 3_000
_CONTEXT_LINES: Final = 3
_MAX_QUOTED_CHARACTERS: Final = 400


def apply_edits(text: str, edits: Sequence[tuple[str, str]]) -> str:
    r"""Return the text after the edits, one after the other; all of them or none.

    Each replaces the first place where its old text stands exactly so. Where it stands nowhere, the first run of lines
    that differs from it only in the blanks at both ends of lines is taken, and the new lines are moved to its
    indentation. A text with Windows line ends keeps them, whatever the edits are written with.

    Args:
        text: The text.
        edits: Pairs of old and new text.

    Raises:
        ToolError: An old text stands nowhere, or is empty.

    >>> apply_edits("def f():\n    return 1\n", [("return 1", "return 2")])
    'def f():\n    return 2\n'
    >>> apply_edits("if a:\n        b()\n        c()\n", [("b()\nc()", "d()\nif d:\n    e()")])
    'if a:\n        d()\n        if d:\n            e()\n'
    """
    has_windows_ends = "\r\n" in text and text.count("\r\n") == text.count("\n")
    current = text.replace("\r\n", "\n") if has_windows_ends else text
    is_uniform = has_windows_ends or "\r\n" not in text
    for number, edit in enumerate(edits, start=1):
        old, new = (part.replace("\r\n", "\n") for part in edit) if is_uniform else edit
        if not old:
            raise ToolError(f"edit {number}: oldText is empty; write_file writes a whole file")
        if old in current:
            current = current.replace(old, new, 1)
            continue
        replaced = _replace_lines(current, old, new)
        if replaced is None:
            raise ToolError(
                f"edit {number}: oldText stands nowhere in the file; read it again and copy the lines exactly:\n"
                f"{old[:_MAX_QUOTED_CHARACTERS]}"
            )
        current = replaced
    return current.replace("\n", "\r\n") if has_windows_ends else current


def unified_diff(before: str, after: str, name: str) -> str:
    r"""Return the difference of two texts in a fenced block that nothing in it can close.

    >>> print(unified_diff("a\nb\n", "a\nc\n", "x.txt").replace("\t", " "))
    ```diff
    --- x.txt original
    +++ x.txt modified
    @@ -1,2 +1,2 @@
     a
    -b
    +c
    ```
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = _difference(old, new)
    body = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in (f"--- {name}\toriginal\n", f"+++ {name}\tmodified\n", *lines)
    )
    fence = "```"
    while fence in body:
        fence += "`"
    return f"{fence}diff\n{body}{fence}"


def _replace_lines(text: str, old: str, new: str) -> str | None:
    wanted = [line.strip() for line in old.removesuffix("\n").split("\n")]
    lines = text.split("\n")
    # Only lines that can begin the run are looked at further, so the search is short in every ordinary file.
    stripped = [line.strip() for line in lines]
    for start in range(len(lines) - len(wanted) + 1):
        if stripped[start] == wanted[0] and stripped[start : start + len(wanted)] == wanted:
            replacement = _moved(new.removesuffix("\n"), old, _indent(lines[start]))
            return "\n".join([*lines[:start], *replacement, *lines[start + len(wanted) :]])
    return None


def _moved(new: str, old: str, indent: str) -> list[str]:
    """Return the new lines with the indentation of the old text's first line exchanged for `indent`."""
    base = _indent(old)
    return [
        line if not line.strip() else indent + (line.removeprefix(base) if line.startswith(base) else line.lstrip())
        for line in new.split("\n")
    ]


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _difference(old: list[str], new: list[str]) -> list[str]:
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    if start == len(old) == len(new):
        return []
    if max(len(old), len(new)) - start - end <= MAX_COMPARED_LINES:
        from difflib import unified_diff as compare

        # Equal lines at both ends are cut off first, but for the context; only then does the comparison stay small.
        skipped = max(0, start - _CONTEXT_LINES)
        kept_end = max(0, end - _CONTEXT_LINES)
        hunks = list(compare(old[skipped : len(old) - kept_end], new[skipped : len(new) - kept_end], n=_CONTEXT_LINES))[
            2:
        ]
        return [_shifted(line, skipped) if line.startswith("@@") else line for line in hunks]
    old_count, new_count = len(old) - start - end, len(new) - start - end
    return [
        f"@@ -{start + 1},{old_count} +{start + 1},{new_count} @@\n",
        *(f"-{line}" for line in old[start : len(old) - end]),
        *(f"+{line}" for line in new[start : len(new) - end]),
    ]


def _shifted(header: str, lines: int) -> str:
    """Return a hunk's header with its line numbers moved by what was cut off before it."""
    if not lines:
        return header
    _, old, new, _ = header.split(" ")
    return f"@@ {_moved_range(old, lines)} {_moved_range(new, lines)} @@\n"


def _moved_range(part: str, lines: int) -> str:
    number, comma, count = part[1:].partition(",")
    return f"{part[0]}{int(number) + lines}{comma}{count}"
