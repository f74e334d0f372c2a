"""What commands print."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any

from mcp_server.security.audit.record_formatter import escape_text


class Output:
    """Print for people on a terminal, or JSON for programs; the only place of the library that prints.

    Tables are drawn by `rich` where it is installed, as aligned columns otherwise. Text that came from clients is
    shown with control and bidirectional characters escaped.

    Args:
        as_json: Whether to print JSON.
        stream: Where to; standard output by default.
        errors: Where errors go; standard error by default.

    >>> Output(as_json=True, stream=sys.stdout).data({"a": 1})
    {"a": 1}
    """

    def __init__(self, *, as_json: bool, stream: IO[str] | None = None, errors: IO[str] | None = None) -> None:
        self.as_json = as_json
        self._stream = sys.stdout if stream is None else stream
        self._errors = sys.stderr if errors is None else errors

    def data(self, value: Any) -> None:
        """Print a value as one line of JSON, whatever the mode."""
        self._stream.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")

    def line(self, text: str = "") -> None:
        """Print a line for people; nothing in JSON mode."""
        if not self.as_json:
            self._stream.write("\n".join(escape_text(each) for each in text.split("\n")) + "\n")

    def error(self, text: str) -> None:
        """Print an error for people, beside the output; in JSON mode the output says it as well."""
        if self.as_json:
            self.data({"error": text})
        self._errors.write("mcp-server: " + "\n".join(escape_text(each) for each in text.split("\n")) + "\n")

    def step(self, *, action: str, promise: str, seen: str, is_good: bool) -> None:
        """Print one step of a demonstration as a line for people; nothing in JSON mode.

        Args:
            action: What was done.
            promise: What was promised.
            seen: What happened; its first line is shown.
            is_good: Whether the promise was kept.
        """
        if self.as_json:
            return
        first = escape_text(seen.strip().split("\n")[0])
        import shutil

        width = shutil.get_terminal_size().columns if self._stream.isatty() else 160
        room = max(20, width - 54)
        shown = first if len(first) <= room else first[: room - 1] + "…"
        mark, colour = ("✓", "32") if is_good else ("✗", "31")
        if self._stream.isatty() and "NO_COLOR" not in os.environ:
            hue = {"refused": "33", "asked": "36", "found": "35"}.get(promise, "32")
            self._stream.write(
                f"  \x1b[{colour}m{mark}\x1b[0m {action:<38} \x1b[{hue}m{promise:<8}\x1b[0m \x1b[2m{shown}\x1b[0m\n"
            )
        else:
            self._stream.write(f"  {mark} {action:<38} {promise:<8} {shown}\n")
        self._stream.flush()

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> None:
        """Print a table; in JSON mode a list of objects.

        Args:
            columns: The headings, which are the members' names in JSON.
            rows: The cells.
            title: A heading above it, for people.
        """
        if self.as_json:
            self.data([dict(zip(columns, row, strict=True)) for row in rows])
            return
        texts = [["\n".join(map(escape_text, _shown(cell).split("\n"))) for cell in row] for row in rows]
        try:
            from rich.console import Console
            from rich.table import Table
            from rich.text import Text
        except ImportError:
            self._plain(columns, [[cell.replace("\n", ", ") for cell in row] for row in texts], title)
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in texts:
            table.add_row(*(Text(cell) for cell in row))
        Console(file=self._stream).print(table)

    def _plain(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None) -> None:
        if title:
            self._stream.write(title + "\n")
        widths = [max(len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
        for row in (columns, *rows):
            text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self._stream.write(text.rstrip() + "\n")


def _shown(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Mapping) or (isinstance(cell, Sequence) and not isinstance(cell, str)):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return "" if cell is None else str(cell)
