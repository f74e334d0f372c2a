"""Reading a handler's docstring: the first paragraph, and what it says of each parameter."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection
from typing import Final

_SECTION: Final = re.compile(r"[A-Z][A-Za-z ]{2,20}:", re.ASCII)
_ARGUMENTS: Final = frozenset({"Args:", "Arguments:", "Parameters:", "Params:"})
_ENTRY: Final = re.compile(r"(\*{0,2}\w+)(?:\s*\([^)]{0,100}\))?\s*:\s+(\S.*)")


def parse_docstring(text: str | None, names: Collection[str]) -> tuple[str, dict[str, str]]:
    """Return the first paragraph and a description for each parameter that the text describes.

    Understood are Google's `Args:` section and plain lines `name: what it is`; a line that is indented deeper than
    its entry continues it.

    >>> parse_docstring("Keep lines.\\n\\n    lines: how many,\\n        at most ten", {"source", "lines"})
    ('Keep lines.', {'lines': 'how many, at most ten'})
    """
    if not text:
        return "", {}
    lines = inspect.cleandoc(text).splitlines()
    described: dict[str, str] = {}
    current: str | None = None
    entry_indent = 0
    in_arguments = True
    paragraph: list[str] = []
    in_paragraph = True
    for line in lines:
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if not stripped:
            in_paragraph = in_paragraph and not paragraph
            current = None
            continue
        if indent == 0 and _SECTION.fullmatch(stripped):
            # Every other section (Returns, Raises) may hold lines that merely look like parameters.
            in_arguments, in_paragraph, current = stripped in _ARGUMENTS, False, None
            continue
        entry = _ENTRY.fullmatch(stripped) if in_arguments else None
        if entry is not None and entry[1].lstrip("*") in names:
            current, entry_indent, in_paragraph = entry[1].lstrip("*"), indent, False
            described.setdefault(current, entry[2])
        elif current is not None and indent > entry_indent:
            described[current] += " " + stripped
        elif in_paragraph:
            paragraph.append(stripped)
        else:
            current = None
    return " ".join(paragraph), described
