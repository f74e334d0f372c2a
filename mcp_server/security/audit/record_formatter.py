"""Records as text for a terminal, with nothing in them that the terminal would obey."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp_server.security.audit.canonical_json import canonical_json

# Told in the head of the line, or of use to machines only.
_NOT_IN_DETAILS: Final = frozenset(
    {"kind", "mono", "seq", "stream", "ts", "v", "x_prev", "client", "tool", "decision", "dur_us"}
)


class RecordFormatter:
    """Renders one record as one line.

    Every value may hold what a client sent, so every one is escaped: a record can neither begin a second line nor
    move the cursor, change a colour or turn the direction of the text.

    >>> RecordFormatter().format({"seq": 7, "ts": "2026-11-21", "kind": "call.done", "tool": "a\\x1b[2J"})
    '2026-11-21 #7 call.done tool=a\\\\x1b[2J'
    """

    def format(self, record: Mapping[str, Any]) -> str:
        """Return the line, without a newline."""
        parts = [_show(record.get("ts", "-")), f"#{_show(record.get('seq', '-'))}", _show(record.get("kind", "-"))]
        parts += [f"{name}={_show(record[name])}" for name in ("client", "tool", "decision") if name in record]
        duration = record.get("dur_us")
        if type(duration) is int:
            parts.append(f"{duration / 1000:.1f}ms")
        details = {name: value for name, value in record.items() if name not in _NOT_IN_DETAILS}
        parts += [f"{escape_text(str(name))}={_show(value)}" for name, value in details.items()]
        return " ".join(parts)


def escape_text(text: str) -> str:
    """Return a text in which every control, format, bidi, private or unassigned character is written as an escape.

    The backslash is escaped as well, so that the reader can tell what was there.

    >>> escape_text("a\\nb\\u202ec\\u2028\\\\")
    'a\\\\nb\\\\u202ec\\\\u2028\\\\\\\\'
    """
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(
        character if character.isprintable() and character != "\\" else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def _show(value: Any) -> str:
    if isinstance(value, str):
        return escape_text(value)
    try:
        return escape_text(canonical_json(value).decode("utf-8"))
    except ValueError:
        return escape_text(repr(value))
